/**
 * Before there is a session: where the token is, or the password of a node that others reach; and what to do when no node answers.
 * @module
 */
import { type FormEvent, useState } from 'react';
import { Button } from '../parts/button.tsx';
import { TextField } from '../parts/fields.tsx';
import { Icon } from '../parts/icon.tsx';
import { reasonOf } from '../state/api.ts';
import { beginSession, signIn } from '../state/session.ts';

export function SignIn() {
  const [secret, setSecret] = useState('');
  const [problem, setProblem] = useState<string>();
  const isToken = /^[\w-]{20,}$/.test(secret.trim());
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      await signIn(isToken ? { token: secret.trim() } : { password: secret });
    } catch (error) {
      setProblem(reasonOf(error));
    }
  };
  return (
    <main className="door">
      <form onSubmit={(event) => void submit(event)}>
        <img src={new URL('../icon.svg', import.meta.url).href} alt="" width="48" height="48" />
        <h1>Starling</h1>
        <p>
          This dashboard belongs to whoever runs the node. Open the address that the node printed
          when it started, or paste its token: the command <code>starling token</code> shows it, and
          it is in the file <code>api-token</code> in the node’s home.
        </p>
        <TextField
          label="Token or password"
          type="password"
          autoComplete="current-password"
          autoFocus
          value={secret}
          onChange={setSecret}
        />
        {problem === undefined ? null : (
          <p className="problem" role="alert">
            <Icon name="warning" /> {problem}
          </p>
        )}
        <Button kind="primary" isSubmit disabled={secret === ''}>
          Sign in
        </Button>
      </form>
    </main>
  );
}

export function Unreached() {
  return (
    <main className="door">
      <div className="door-box">
        <h1>The node does not answer</h1>
        <p>
          See whether it still runs. On its machine, <code>starling node</code> starts it.
        </p>
        <Button kind="primary" onClick={() => void beginSession()}>
          Try again
        </Button>
      </div>
    </main>
  );
}
