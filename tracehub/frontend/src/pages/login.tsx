import { useState } from "react";

import { postJson } from "../client";
import { Heading } from "../parts/heading";
import { Notice } from "../parts/notice";
import { message } from "../resource";
import { setSession, type User } from "../session";

interface Login {
  access_token: string;
  user: User;
}

export function LoginPage() {
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const logIn = async (form: FormData) => {
    setBusy(true);
    setError(null);
    try {
      const login = await postJson<Login>("/auth/login", {
        email: form.get("email"),
        password: form.get("password"),
      });
      setSession({ token: login.access_token, user: login.user });
    } catch (failure) {
      setError(message(failure));
      setBusy(false);
    }
  };

  return (
    <main className="login">
      <p className="brand">TraceHub</p>
      <Heading>Log in</Heading>
      {/* Not the form's action: React would empty the fields after a wrong password. */}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void logIn(new FormData(event.currentTarget));
        }}
      >
        <label htmlFor="email">Email</label>
        <input id="email" name="email" type="email" autoComplete="username" required />
        <label htmlFor="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autoComplete="current-password"
          required
        />
        <Notice text={error} />
        <button type="submit" disabled={busy}>
          {busy ? "Logging in…" : "Log in"}
        </button>
      </form>
    </main>
  );
}
