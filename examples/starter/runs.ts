// Shows the newest runs of the starter workflow in the environment of TRIGGER_API_KEY, with their logs.
export {};

const { TRIGGER_API_URL: url, TRIGGER_API_KEY: key } = process.env;

interface Run {
  id: string;
  status: string;
  createdAt: string;
  tasks: { type: string; message?: string }[];
}

async function get<T>(path: string): Promise<T | null> {
  const response = await fetch(`${url}${path}`, { headers: { Authorization: `Bearer ${key}` } });
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`GET ${path} failed with ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

const newest = await get<{ data: { id: string }[] }>("/api/v1/workflows/basic-starter/runs?limit=5");
if (newest === null) console.log("The workflow has never registered in this environment. Start it first: npm start");
else if (newest.data.length === 0) console.log("No runs in this environment yet. Send an event: npm run send");
for (const { id } of newest?.data ?? []) {
  const run = await get<Run>(`/api/v1/runs/${id}`);
  if (run === null) continue;
  const logged = run.tasks.flatMap(({ type, message }) => (type === "LOG_MESSAGE" && message ? [message] : []));
  console.log(`${run.createdAt}  ${run.id}  ${run.status}  ${logged.join(" | ")}`);
}
