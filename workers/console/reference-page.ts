// The OpenAPI document as one page to read: no script, nothing from elsewhere. Pure.
import { html, raw } from "hono/html";

/** As much of an OpenAPI document as the page shows. */
interface Document {
  readonly info: { readonly title: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, unknown>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> };
}
interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> };
  readonly responses?: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>;
}
type Content = Readonly<Record<string, { readonly schema?: unknown }>>;

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  code, pre { font: 13px/1.45 ui-monospace, monospace; }
  pre { padding: .75rem; overflow-x: auto; border: 1px solid #8884; border-radius: 6px; }
  h2 { margin-top: 2.5rem; font-size: 1rem; overflow-wrap: anywhere; }
  h2 code { font-size: 15px; }
  .verb { display: inline-block; min-width: 4.5rem; font-weight: 700; }
  dt { font-weight: 600; } dd { margin: 0 0 .5rem 0; }
  nav li { list-style: none; } nav ul { padding: 0; } nav a { text-decoration: none; }
`;

export function referencePage(document: Document) {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries((methods ?? {}) as Record<string, Operation>).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${document.info.title}</title>
        <style>
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <h1>${document.info.title}</h1>
        <p>${document.info.description ?? ""}</p>
        <p>For programs: <a href="/api/v1/openapi.json">openapi.json</a></p>
        <nav>
          <ul>
            ${operations.map(
              ({ name, method, path }) =>
                html`<li><a href="#${encodeURIComponent(name)}"><code><span class="verb">${method}</span>${path}</code></a></li>`,
            )}
          </ul>
        </nav>
        <main>${operations.map(section)}</main>
        <h1>Schemas</h1>
        ${Object.entries(document.components?.schemas ?? {}).map(
          ([name, schema]) =>
            html`<h2 id="schema-${name}"><code>${name}</code></h2><pre>${JSON.stringify(schema, null, 2)}</pre>`,
        )}
      </body>
    </html>`;
}

function section({
  name,
  method,
  path,
  operation,
}: {
  name: string;
  method: string;
  path: string;
  operation: Operation;
}) {
  const bodySchema = operation.requestBody?.content?.["application/json"]?.schema;
  const query = (operation.parameters ?? []).filter((parameter) => parameter.in === "query");
  return html`<section>
    <h2 id="${encodeURIComponent(name)}"><code><span class="verb">${method}</span>${path}</code></h2>
    <p>${operation.summary ?? ""}. ${operation.description ?? ""}</p>
    ${query.length > 0 ? html`<p>Query: ${query.map(({ name: parameter }) => html`<code>${parameter}</code> `)}</p>` : ""}
    ${bodySchema === undefined ? "" : html`<p>Body:</p><pre>${JSON.stringify(bodySchema, null, 2)}</pre>`}
    <dl>
      ${Object.entries(operation.responses ?? {}).map(
        ([status, answer]) =>
          html`<dt>${status}</dt><dd>${answer.description ?? ""} ${schemaName(answer.content?.["application/json"]?.schema)}</dd>`,
      )}
    </dl>
  </section>`;
}

/** A link to a schema that has a name. */
function schemaName(schema: unknown) {
  const ref = typeof schema === "object" && schema !== null && "$ref" in schema ? String(schema.$ref) : null;
  const name = ref?.split("/").at(-1);
  return name === undefined ? "" : html`<a href="#schema-${name}">${name}</a>`;
}
