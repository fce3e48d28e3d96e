// What is taken as a new organization, and the slug that is made from a name.
import { expect, test } from "vitest";
import { PostedOrganization, slugOf } from "./setup.ts";

test.each([
  ["Acme", "acme"],
  ["Café Zürich, Ltd.", "cafe-zurich-ltd"],
  ["  3 small -- pigs  ", "3-small-pigs"],
  ["x".repeat(60), "x".repeat(48)],
  [`${"x".repeat(47)} y`, "x".repeat(47)],
  ["東京", ""],
])("the name %j gives the slug %j", (name, slug) => {
  expect(slugOf(name)).toBe(slug);
});

test.each([
  [{ name: "Acme" }, { name: "Acme", slug: "acme" }],
  [
    { name: " Acme ", slug: "the-acme-1" },
    { name: "Acme", slug: "the-acme-1" },
  ],
  [
    { name: "東京", slug: "tokyo" },
    { name: "東京", slug: "tokyo" },
  ],
])("takes %j", (posted, organization) => {
  expect(PostedOrganization.parse(posted)).toEqual(organization);
});

test.each([
  ["nothing", null, ""],
  ["text", "Acme", ""],
  ["a list", [], ""],
  ["no name", { slug: "acme" }, "name"],
  ["a name that Postgres cannot hold", { name: "a\u0000b" }, "name"],
  ["an empty name", { name: "  " }, "name"],
  ["a name that is too long", { name: "x".repeat(101) }, "name"],
  ["a name that is no text", { name: 1 }, "name"],
  ["a slug with capitals", { name: "Acme", slug: "Acme" }, "slug"],
  ["a slug with an underscore", { name: "Acme", slug: "a_b" }, "slug"],
  ["an empty slug", { name: "Acme", slug: "" }, "slug"],
  ["a slug that is too long", { name: "Acme", slug: "x".repeat(49) }, "slug"],
  ["a slug with a line break", { name: "Acme", slug: "acme\n" }, "slug"],
  ["a name that gives no slug", { name: "東京" }, "slug"],
  ["a field that is not known", { name: "Acme", plan: "x" }, ""],
])("refuses %s and names where", (_what, posted, path) => {
  const parsed = PostedOrganization.safeParse(posted);
  expect(parsed.error?.issues.map((issue) => issue.path.join("."))).toEqual([path]);
});
