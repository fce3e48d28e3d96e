// The frame around every page: organization, environment, navigation, the environments' keys.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ErrorComponentProps, Link, Outlet, useLocation, useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { ask, path } from "../api/client.ts";
import { environments, keys, me, organizations, type Place } from "../api/queries.ts";
import { useLive } from "../live.ts";
import { Button, Choose, Copy, Problem } from "../ui/controls.tsx";
import { lookOf } from "./environments.ts";
import { useMay, usePlace } from "./place.ts";
import { chooseTheme, currentTheme } from "./theme.ts";

const PAGES = [
  ["", "Overview"],
  ["workflows", "Workflows"],
  ["runs", "Runs"],
  ["events", "Events"],
  ["sources", "Webhooks"],
  ["schedules", "Schedules"],
  ["test", "Test", "member"],
  ["keys", "API keys"],
  ["settings", "Settings"],
] as const satisfies readonly (readonly [page: string, label: string, least?: "member"])[];

export function Shell() {
  const place = usePlace();
  const live = useLive(place);
  const look = lookOf(place.env);
  const [menu, setMenu] = useState(false);
  const menuButton = useRef<HTMLButtonElement>(null);
  const mayTest = useMay("member");
  const main = useFocusOnNewPage();
  return (
    <div className="min-h-screen" data-environment={place.env}>
      <a href="#main" className="sr-only focus:not-sr-only focus:absolute focus:z-30 focus:bg-panel focus:p-2">
        Skip to content
      </a>
      <header className="sticky top-0 z-10 border-b border-line bg-panel">
        <div className={`h-1.5 ${look.band}`} aria-hidden="true" />
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-3 py-2 md:px-4">
          <Button
            ref={menuButton}
            look="quiet"
            className="md:hidden"
            aria-label="Pages"
            aria-expanded={menu}
            aria-controls="pages"
            onPress={() => setMenu(!menu)}
          >
            ☰
          </Button>
          <Link to="/orgs/$org/$env" params={place} className="font-semibold tracking-tight no-underline">
            Switchyard
          </Link>
          <OrganizationChoice {...place} />
          <EnvironmentSwitch {...place} />
          <div className="ml-auto flex items-center gap-1">
            <span
              role="status"
              className={`text-xs ${live ? "text-emerald-800 dark:text-emerald-300" : "text-soft"}`}
              title={live ? "Changes appear at once" : "Disconnected: the page refreshes every few seconds"}
            >
              {live ? "● live updates" : "○ polling"}
            </span>
            <ThemeButton />
            <SignOutButton />
          </div>
        </div>
      </header>
      <div className="flex">
        <nav
          id="pages"
          aria-label="Pages"
          onKeyDown={({ key }) => {
            if (key !== "Escape" || !menu) return;
            setMenu(false);
            menuButton.current?.focus();
          }}
          className={`${menu ? "flex" : "hidden"} fixed inset-x-0 z-10 max-h-[calc(100dvh-6.5rem)] shrink-0 flex-col gap-4 overflow-y-auto border-b border-line bg-panel p-3 shadow-lg md:sticky md:inset-auto md:top-14 md:flex md:h-[calc(100vh-3.5rem)] md:max-h-none md:w-56 md:border-r md:border-b-0 md:shadow-none`}
        >
          <ul className="flex flex-col gap-0.5">
            {PAGES.filter(([, , least]) => least === undefined || mayTest).map(([page, label]) => (
              <li key={page}>
                <Link
                  to={page === "" ? "/orgs/$org/$env" : `/orgs/$org/$env/${page}`}
                  params={place}
                  activeOptions={{ exact: page === "" }}
                  onClick={() => setMenu(false)}
                  className="block rounded-md px-2.5 py-1.5 no-underline hover:bg-line/60 aria-[current=page]:bg-line aria-[current=page]:font-semibold"
                >
                  {label}
                </Link>
              </li>
            ))}
          </ul>
          <KeyBox org={place.org} />
        </nav>
        <main ref={main} id="main" tabIndex={-1} className="min-w-0 flex-1 p-3 outline-none md:p-6">
          <div className="mx-auto max-w-5xl">
            <Outlet />
          </div>
        </main>
      </div>
    </div>
  );
}

/** Keyboards and screen readers start at the beginning of a new page. */
function useFocusOnNewPage() {
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return main;
}

function OrganizationChoice({ org, env }: Place) {
  const { data } = useQuery(organizations);
  const navigate = useNavigate();
  const choices = (data?.data ?? [{ slug: org, name: org }]).map(({ slug, name }) => ({ id: slug, label: name }));
  return (
    <Choose
      label="Organization"
      hidden
      choices={choices}
      value={org}
      className="max-w-36 md:max-w-48"
      onChange={(slug) => void navigate({ to: "/orgs/$org/$env", params: { org: slug, env } })}
    />
  );
}

/**
 * Links, so that an environment can be opened in a tab of its own. The page stays; ids of one environment are dropped.
 */
function EnvironmentSwitch({ org, env }: Place) {
  const { data } = useQuery(environments(org));
  const { pathname } = useLocation();
  const [page = "", ...rest] = pathname.split("/").slice(4);
  const shared = page === "sources" ? [page, ...rest] : page === "workflows" ? [page, ...rest] : [page];
  const slugs = data?.data.map(({ slug }) => slug) ?? [env];
  return (
    <nav
      aria-label="Environment"
      className="flex max-w-full gap-0.5 overflow-x-auto rounded-lg border border-line p-0.5"
    >
      {slugs.map((slug) => {
        const look = lookOf(slug);
        return (
          <Link
            key={slug}
            to={`/orgs/${org}/${slug}/${shared.filter(Boolean).join("/")}`.replace(/\/$/, "") as "/"}
            aria-current={slug === env ? "true" : undefined}
            className={`rounded-md px-2.5 py-1 font-semibold whitespace-nowrap no-underline ${slug === env ? look.pill : "text-soft hover:bg-line/60"}`}
          >
            <span aria-hidden="true">{look.mark} </span>
            {look.label}
          </Link>
        );
      })}
    </nav>
  );
}

/** Each environment's key, in view on every page. A key is fetched when it is copied, which the audit log records. */
function KeyBox({ org }: { org: string }) {
  const { data } = useQuery(environments(org));
  return (
    <section aria-label="API keys" className="mt-auto flex flex-col gap-3 border-t border-line pt-3">
      {data?.data.map(({ slug }) => (
        <EnvironmentKey key={slug} org={org} env={slug} />
      ))}
    </section>
  );
}

function EnvironmentKey(place: Place) {
  const { data } = useQuery(keys(place));
  const may = useMay("admin");
  const key = data?.data.find(({ revokedAt, scopes }) => revokedAt === null && scopes === "all");
  const look = lookOf(place.env);
  return (
    <div className="flex items-center justify-between gap-2">
      <span className={`truncate rounded px-1.5 text-xs font-semibold ${look.pill}`}>{look.label}</span>
      {key && may ? (
        <Copy label="Copy" name={`Copy the key of ${place.env}`} text={() => showKey(place, key.id)} />
      ) : (
        <span className="text-xs text-soft">{key ? "ask an admin" : "no key"}</span>
      )}
    </div>
  );
}

export async function showKey({ org, env }: Place, id: string): Promise<string> {
  const shown = await ask<{ key: string }>(
    "POST",
    path("/organizations/{}/environments/{}/keys/{}/show", org, env, id),
  );
  return shown.key;
}

function ThemeButton() {
  const [theme, setTheme] = useState(currentTheme);
  const other = theme === "dark" ? "light" : "dark";
  return (
    <Button
      look="quiet"
      aria-label={`Switch to ${other} colours`}
      onPress={() => {
        chooseTheme(other);
        setTheme(other);
      }}
    >
      {theme === "dark" ? "☀" : "☾"}
    </Button>
  );
}

function SignOutButton() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { data } = useQuery(me);
  return (
    <Button
      look="quiet"
      aria-label={`Sign out${data ? ` ${data.email}` : ""}`}
      onPress={async () => {
        await ask("POST", "/api/auth/sign-out", {});
        client.clear();
        await navigate({ to: "/sign-in", search: {} });
      }}
    >
      Sign out
    </Button>
  );
}

/** The page for an error: the router's message, and ways to continue. */
export function Failed({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main className="mx-auto flex max-w-lg flex-col gap-3 p-8">
      <h1 className="text-xl font-semibold">This page could not be loaded</h1>
      <Problem error={error} />
      <div className="flex gap-2">
        <Button
          onPress={() => {
            reset();
            void router.invalidate();
          }}
        >
          Try again
        </Button>
        <Link to="/" className="self-center underline">
          Go to overview
        </Link>
      </div>
    </main>
  );
}

export function NothingHere() {
  return (
    <main className="mx-auto flex max-w-lg flex-col gap-3 p-8">
      <h1 className="text-xl font-semibold">Page not found</h1>
      <Link to="/" className="underline">
        Go to overview
      </Link>
    </main>
  );
}
