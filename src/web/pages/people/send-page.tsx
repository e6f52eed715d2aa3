/**
 * Sends a file, a folder or a message to one person, and receives: by three words, or between contacts.
 * @module
 */
import { Empty } from '../../parts/empty.tsx';
import { transfers, useTopics } from '../../state/live.ts';
import { useRows } from '../../state/use-collection.ts';
import { ReceiveForm } from './receive-form.tsx';
import { SendForm } from './send-form.tsx';
import { TransferCard } from './transfer-card.tsx';

export function SendPage() {
  useTopics('contacts');
  const rows = useRows(transfers);
  // What waits for a person comes first, then the newest.
  const shown = [...rows].sort(
    (a, b) =>
      Number(b.state === 'offered') - Number(a.state === 'offered') ||
      b.startedAtMs - a.startedAtMs,
  );
  return (
    <div className="page">
      <div className="page-head">
        <h1>Send &amp; receive</h1>
      </div>
      <div className="two">
        <SendForm />
        <ReceiveForm />
      </div>
      {shown.length === 0 ? (
        <Empty icon="send" title="From one person to another">
          <p>
            Choose a file and get three words. Tell them to the other person, who types them into
            “Receive” here, or runs <code>starling receive</code>. The two machines meet directly,
            prove that both know the words, and encrypt what goes between them.
          </p>
        </Empty>
      ) : (
        <ul className="cards" aria-label="Transfers between people">
          {shown.map((transfer) => (
            <TransferCard key={transfer.id} transfer={transfer} />
          ))}
        </ul>
      )}
    </div>
  );
}
