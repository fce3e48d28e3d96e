// The routes. Organization and environment are part of every page's address except signing in, so that a shared address
// shows the same page to everyone with access.
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { ApiError } from "./api/client.ts";
import { environments, me, organizations } from "./api/queries.ts";
import { runsSearch } from "./pages/runs-search.ts";
import { SignIn } from "./pages/sign-in.tsx";
import { Failed, NothingHere, Shell } from "./shell/shell.tsx";
import { Loading } from "./ui/show.tsx";

interface Context {
  readonly client: QueryClient;
}

const root = createRootRouteWithContext<Context>()({ component: Outlet, notFoundComponent: NothingHere });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  component: SignIn,
  validateSearch: (search: Record<string, unknown>): { to?: string } =>
    // Only an address of this router: no other site may redirect people through ours.
    typeof search.to === "string" && /^\/(?!\/)/.test(search.to) ? { to: search.to } : {},
});

const invited = createRoute({
  getParentRoute: () => root,
  path: "/invited",
  component: lazyRouteComponent(() => import("./pages/invited.tsx"), "Invited"),
});

/** Redirects a person who is not signed in to the sign-in page, and back. */
async function signedIn(client: QueryClient, to: string): Promise<void> {
  try {
    await client.ensureQueryData(me);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) throw redirect({ to: "/sign-in", search: { to } });
    throw error;
  }
}

const index = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: async ({ context: { client } }) => {
    await signedIn(client, "/");
    const { data } = await client.fetchQuery(organizations);
    const [first] = data;
    if (first) throw redirect({ to: "/orgs/$org/$env", params: { org: first.slug, env: "development" } });
  },
  component: lazyRouteComponent(() => import("./pages/no-organization.tsx"), "NoOrganization"),
  errorComponent: Failed,
});

const shell = createRoute({
  getParentRoute: () => root,
  path: "/orgs/$org/$env",
  beforeLoad: async ({ context: { client }, params: { org, env }, location }) => {
    // Queried at the same time, so that a page waits for one answer, not for three in a row.
    const asked = client.ensureQueryData(environments(org));
    void client.prefetchQuery(organizations);
    asked.catch(() => {});
    await signedIn(client, location.href);
    const { data } = await asked;
    if (data.some(({ slug }) => slug === env)) return;
    throw redirect({ to: "/orgs/$org/$env", params: { org, env: "development" } });
  },
  component: Shell,
  errorComponent: Failed,
});

const page = <P extends string>(path: P, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => shell, path, component });

const runsRoute = createRoute({
  getParentRoute: () => shell,
  path: "/runs",
  component: lazyRouteComponent(() => import("./pages/runs.tsx"), "Runs"),
  validateSearch: runsSearch,
});
const testRoute = createRoute({
  getParentRoute: () => shell,
  path: "/test",
  component: lazyRouteComponent(() => import("./pages/test.tsx"), "Test"),
  validateSearch: (search: Record<string, unknown>): { workflow?: string; run?: string } => ({
    ...(typeof search.workflow === "string" && { workflow: search.workflow }),
    ...(typeof search.run === "string" && { run: search.run }),
  }),
});

const routes = root.addChildren([
  signIn,
  invited,
  index,
  shell.addChildren([
    page(
      "/",
      lazyRouteComponent(() => import("./pages/home.tsx"), "Home"),
    ),
    page(
      "/workflows",
      lazyRouteComponent(() => import("./pages/workflows.tsx"), "Workflows"),
    ),
    page(
      "/workflows/$workflow",
      lazyRouteComponent(() => import("./pages/workflow.tsx"), "Workflow"),
    ),
    runsRoute,
    page(
      "/runs/$run",
      lazyRouteComponent(() => import("./pages/run.tsx"), "RunPage"),
    ),
    page(
      "/events",
      lazyRouteComponent(() => import("./pages/events.tsx"), "Events"),
    ),
    page(
      "/events/$event",
      lazyRouteComponent(() => import("./pages/event.tsx"), "EventPage"),
    ),
    page(
      "/sources",
      lazyRouteComponent(() => import("./pages/sources.tsx"), "Sources"),
    ),
    page(
      "/sources/$source",
      lazyRouteComponent(() => import("./pages/source.tsx"), "SourcePage"),
    ),
    page(
      "/sources/$source/$delivery",
      lazyRouteComponent(() => import("./pages/delivery.tsx"), "DeliveryPage"),
    ),
    page(
      "/schedules",
      lazyRouteComponent(() => import("./pages/schedules.tsx"), "Schedules"),
    ),
    testRoute,
    page(
      "/keys",
      lazyRouteComponent(() => import("./pages/keys.tsx"), "Keys"),
    ),
    page(
      "/settings",
      lazyRouteComponent(() => import("./pages/settings.tsx"), "Settings"),
    ),
  ]),
]);

export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: routes,
    context: { client },
    defaultPendingComponent: Loading,
    defaultErrorComponent: Failed,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
