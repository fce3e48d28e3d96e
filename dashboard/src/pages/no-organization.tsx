// The first page of a person without an organization: create one.
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { ask, path } from "../api/client.ts";
import { Button, Field, Problem } from "../ui/controls.tsx";

export function NoOrganization() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [error, setError] = useState<unknown>(null);
  const submit = async (form: FormEvent) => {
    form.preventDefault();
    try {
      const { slug } = await ask<{ slug: string }>("POST", path("/organizations"), { name });
      await client.invalidateQueries();
      await navigate({ to: "/orgs/$org/$env", params: { org: slug, env: "development" } });
    } catch (reason) {
      setError(reason);
    }
  };
  return (
    <main className="flex min-h-screen items-center justify-center p-4">
      <form
        onSubmit={submit}
        className="flex w-full max-w-sm flex-col gap-4 rounded-lg border border-line bg-panel p-6"
      >
        <h1 className="text-xl font-semibold">Create an organization</h1>
        <p className="text-soft">
          You are not a member of an organization yet. A new one starts with two environments, live and development.
        </p>
        <Problem error={error} />
        <Field label="Name" isRequired value={name} onChange={setName} />
        <Button type="submit" look="primary">
          Create
        </Button>
      </form>
    </main>
  );
}
