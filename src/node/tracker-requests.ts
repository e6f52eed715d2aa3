/**
 * Makes the requests that tracker cores ask for, and refuses those that a torrent's author has no business to have made from here.
 *
 * Whoever makes a torrent chooses its tracker URLs, and a request from this machine reaches what theirs cannot: its own services and its network's.
 * So at addresses that are not public only a tracker can be meant: /announce or /scrape on this machine and in private networks, nothing at
 * link-local and other special addresses, nothing at all when the torrent itself came from the public Internet. A tracker that the user gave is
 * asked whatever its address. Redirects are judged by the same rules, and none leads from a public address to another kind (reach-policy.ts).
 * Not here: when to ask and what the answers mean, which the cores decide.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import { type HostAddress, resolveHost } from '../io/dns.ts';
import { httpGet } from '../io/http.ts';
import { isSpecialAddress, mayAskTracker, type ReachPolicy } from '../io/reach-policy.ts';
import { retryAfterMs } from '../io/retry-after.ts';
import { type AnnouncerOutput, parseTrackerUrl } from '../protocol/tracker/index.ts';
import { nodeError } from './errors.ts';
import type { UdpDoor } from './udp-door.ts';

/** Whose tracker URLs these are. */
export interface TrackerTrust {
  /** URLs that the user gave by hand. */
  readonly given: readonly string[];
  /** The torrent came from a public address. */
  readonly isFromPublic: boolean;
}

/** The core that asked. */
export interface TrackerAsker {
  handleHttpReply(
    nowMs: number,
    requestId: number,
    response: {
      readonly status: number;
      readonly body: Uint8Array;
      readonly retryAfterMs?: number;
    },
  ): void;
  handleUdpReply(nowMs: number, requestId: number, bytes: Uint8Array, addressBytes: 4 | 16): void;
  handleFailure(nowMs: number, requestId: number, message: string): void;
}

/** Options of TrackerRequests. */
export interface TrackerRequestsOptions {
  readonly policy: ReachPolicy;
  readonly udp: UdpDoor;
  readonly userAgent: string;
  readonly trust: TrackerTrust;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

/** Which of a tracker's addresses to use, best first; none: it is not asked. */
export type AddressChoice = (found: readonly HostAddress[]) => readonly HostAddress[];

/** Sends `http` and `udp` outputs and hands the answers back. */
export class TrackerRequests {
  readonly #options: TrackerRequestsOptions;
  readonly #given: ReadonlySet<string>;

  constructor(options: TrackerRequestsOptions) {
    this.#options = options;
    this.#given = new Set(options.trust.given.map(hrefOf));
  }

  /** @param done called after the asker got an answer or a failure: drain it. */
  perform(
    output: AnnouncerOutput & { type: 'http' | 'udp' },
    asker: TrackerAsker,
    done: () => void,
    choose: AddressChoice = (found) => found,
  ): void {
    const { requestId } = output;
    const answering =
      output.type === 'http'
        ? this.#get(output, asker, choose)
        : this.#send(output, asker, choose, done);
    answering
      .catch((error: Error) => asker.handleFailure(monotonicMs(), requestId, error.message))
      .finally(done);
  }

  async #get(
    request: AnnouncerOutput & { type: 'http' },
    asker: TrackerAsker,
    choose: AddressChoice,
  ): Promise<void> {
    const { policy, userAgent, signal } = this.#options;
    const { url, trackerUrl, timeoutMs, maxBytes, requestId } = request;
    const reply = await httpGet(url, {
      timeoutMs,
      maxBytes,
      userAgent,
      policy,
      signal,
      selectAddresses: choose,
      allowUrl: (hop, address) => this.#mayAsk(trackerUrl, address, `${hop.pathname}${hop.search}`),
    });
    const waitMs = retryAfterMs(reply.headers['retry-after'], Date.now());
    asker.handleHttpReply(monotonicMs(), requestId, {
      status: reply.status,
      body: reply.body,
      ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    });
  }

  async #send(
    request: AnnouncerOutput & { type: 'udp' },
    asker: TrackerAsker,
    choose: AddressChoice,
    done: () => void,
  ): Promise<void> {
    const { host, port, requestId, bytes, trackerUrl } = request;
    const { policy, udp } = this.#options;
    const found = choose(await resolveHost(host, policy));
    // A datagram has no path that could mean something else, so /announce stands for it.
    const allowed = found.filter(({ address }) => this.#mayAsk(trackerUrl, address, '/announce'));
    const [target] = allowed;
    if (target === undefined) {
      const reason = found.length === 0 ? 'it has no such address' : 'its address is not public';
      throw nodeError('ERR_TRACKER_REFUSED_HERE', { url: trackerUrl, reason });
    }
    await udp.ask([target], port, requestId, bytes, (answer) => {
      asker.handleUdpReply(monotonicMs(), requestId, answer, target.family === 4 ? 4 : 16);
      done();
    });
  }

  #mayAsk(trackerUrl: string, address: string, pathAndQuery: string): boolean {
    if (this.#given.has(trackerUrl)) return true;
    if (this.#options.trust.isFromPublic && isSpecialAddress(address)) return false;
    return mayAskTracker(address, pathAndQuery);
  }
}

function hrefOf(url: string): string {
  const parsed = parseTrackerUrl(url);
  return parsed.ok ? parsed.value.href : url;
}
