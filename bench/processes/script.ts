// The deployed script in the form that workerd.ts serves: its modules and its objects.
import { buildScript } from "../../scripts/local/build.ts";
import type { Served } from "./workerd.ts";

export type Script = Pick<Served, "modules" | "compatibilityDate" | "compatibilityFlags" | "objects">;

interface Options {
  readonly compatibilityDate?: string;
  readonly compatibilityFlags?: readonly string[];
  readonly durableObjects?: Readonly<Record<string, string | { readonly className: string }>>;
}

export async function deployedScript(): Promise<Script> {
  const { modules, options } = await buildScript();
  const { compatibilityDate = "", compatibilityFlags = [], durableObjects = {} } = options as Options;
  return {
    modules: modules
      .filter(({ type }) => type === "ESModule")
      .map(({ path, contents }) => ({
        name: path.split("/").at(-1) ?? "",
        text: Buffer.from(contents ?? "").toString(),
      })),
    compatibilityDate,
    compatibilityFlags,
    objects: Object.fromEntries(
      Object.entries(durableObjects).map(([binding, object]) => [
        binding,
        typeof object === "string" ? object : object.className,
      ]),
    ),
  };
}
