// Joining an organization with an invitation's link. Its token is behind the #, which no server sees. A signed-in
// person joins with that account; anybody else creates one.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { ask, path } from "../api/client.ts";
import { me } from "../api/queries.ts";
import { Button, Field, Problem } from "../ui/controls.tsx";
import { Loading } from "../ui/show.tsx";

export function Invited() {
  const [token] = useState(() => location.hash.slice(1));
  const client = useQueryClient();
  const navigate = useNavigate();
  const { data: person, isPending } = useQuery(me);
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>(null);
  if (isPending) return <Loading />;
  const join = async (form: FormEvent) => {
    form.preventDefault();
    try {
      const { organization } = await ask<{ organization: { slug: string } }>("POST", path("/invitations/accept"), {
        token,
        ...(!person && { name, password }),
      });
      if (!person) await ask("POST", "/api/auth/sign-in/email", { email, password });
      client.clear();
      await navigate({ to: "/orgs/$org/$env", params: { org: organization.slug, env: "development" } });
    } catch (reason) {
      setError(reason);
    }
  };
  return (
    <main className="flex min-h-screen items-center justify-center p-4">
      <form onSubmit={join} className="flex w-full max-w-sm flex-col gap-4 rounded-lg border border-line bg-panel p-6">
        <h1 className="text-xl font-semibold">Join an organization</h1>
        <Problem error={error} />
        {person ? (
          <p>
            Signed in as <strong className="data">{person.email}</strong>. The invitation must be for this address.
          </p>
        ) : (
          <>
            <p className="text-soft">If you have an account, sign in first, then open this link again.</p>
            <Field
              label="Email"
              type="email"
              autoComplete="username"
              hint="The invited address"
              isRequired
              value={email}
              onChange={setEmail}
            />
            <Field label="Your name" autoComplete="name" isRequired value={name} onChange={setName} />
            <Field
              label="Password"
              type="password"
              autoComplete="new-password"
              hint="8 characters or more"
              isRequired
              value={password}
              onChange={setPassword}
            />
          </>
        )}
        <Button type="submit" look="primary">
          Join
        </Button>
      </form>
    </main>
  );
}
