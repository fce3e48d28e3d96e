// Signing in: with a link that works once (its token is behind the #, which no server sees), or with a password.
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { ask } from "../api/client.ts";
import { Button, Field, Problem } from "../ui/controls.tsx";

export function SignIn() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { to = "/" } = useSearch({ from: "/sign-in" });
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");

  const enter = async () => {
    client.clear();
    await navigate({ href: to });
  };

  const used = useRef(false);
  useEffect(() => {
    const token = location.hash.slice(1);
    if (token === "" || used.current) return;
    used.current = true;
    history.replaceState(history.state, "", location.pathname + location.search);
    setBusy(true);
    ask("POST", "/api/auth/one-time-token/verify", { token }).then(enter, () => {
      setBusy(false);
      setError(
        new Error(
          "This link was already used or has expired. Sign in with your password, or restart the router for a new link.",
        ),
      );
    });
  });

  const submit = async (form: FormEvent) => {
    form.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await ask("POST", "/api/auth/sign-in/email", { email, password });
      await enter();
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };

  return (
    <main className="flex min-h-screen items-center justify-center p-4">
      <form
        onSubmit={submit}
        className="flex w-full max-w-sm flex-col gap-4 rounded-lg border border-line bg-panel p-6"
      >
        <h1 className="text-xl font-semibold">Sign in to Switchyard</h1>
        <Problem error={error} />
        <Field label="Email" type="email" autoComplete="username" isRequired value={email} onChange={setEmail} />
        <Field
          label="Password"
          type="password"
          autoComplete="current-password"
          isRequired
          value={password}
          onChange={setPassword}
        />
        <Button type="submit" look="primary" isDisabled={busy}>
          {busy ? "Signing in …" : "Sign in"}
        </Button>
      </form>
    </main>
  );
}
