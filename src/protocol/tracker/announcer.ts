/**
 * When to announce which torrent to which tracker, and what to make of the answers.
 * Spec: BEP 3 (events, intervals), 7 (key), 12 (tiers), 15 (time outs), 21 (paused), 27 (one tracker at a time), 31 (retry in), 52 (both hashes).
 *
 * Each info-hash has lanes of its own; a lane announces to one of its trackers at a time. A round asks the trackers of a lane in order until one
 * accepts. A tracker that says nothing costs a round 15 s while another is left to ask; a sole UDP tracker is asked again on the schedule of
 * BEP 15. When a whole round fails the next one starts after 15 · 2^n s and up to a tenth more, drawn by lot.
 * Bounds: 100 trackers, 2 hashes, one request a lane at a time (besides `stopped`). Not here: scrape (scraper.ts), WebSocket trackers, source addresses.
 * @module
 */
import { equalBytes, readU32 } from '../../lib/bytes.ts';
import type { Rng } from '../../lib/rng.ts';
import {
  type AnnouncerOptions,
  type AnnouncerOutput,
  checkOptions,
  type TransferStats,
} from './announcer-types.ts';
import {
  FAIL_OVER_TIMEOUT_MS,
  HASHES_MAX,
  HTTP_TIMEOUT_MS,
  INTERVAL_DEFAULT_MS,
  INTERVAL_MAX_MS,
  INTERVAL_MIN_MS,
  LEFT_UNKNOWN_BYTES,
  NUM_WANT_DEFAULT,
  REPLY_LENGTH_MAX,
  RETRY_EXPONENT_MAX,
  RETRY_JITTER,
  STOP_TIMEOUT_MS,
} from './constants.ts';
import { checkOption, type TrackerFaultCode } from './errors.ts';
import { type AnnounceEvent, buildAnnounceUrl, parseHttpReply } from './http-codec.ts';
import { createLanes, readTrackers } from './lanes.ts';
import type { AnnounceReply, RefusalReply } from './reply.ts';
import { summarize, type TrackerStatus } from './status.ts';
import {
  acknowledge,
  HTTP_REQUEST_ID_FIRST,
  type Lane,
  owedEvent,
  type PendingRequest,
  promote,
  resetSession,
  type TrackerState,
} from './tracker-state.ts';
import { encodeUdpAnnounce, encodeUdpConnect, parseUdpReply } from './udp-codec.ts';
import { clampInterval, connectionName, retryDelayMs, UdpConnections } from './udp-connections.ts';

/** Announces one torrent. Times are milliseconds of one clock, given by the caller. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #rng: Rng;
  readonly #key: number;
  readonly #lanes: Lane[] = [];
  readonly #requests = new Map<number, PendingRequest>();
  readonly #connections = new UdpConnections();
  readonly #outputs: AnnouncerOutput[] = [];
  readonly #tiers: readonly (readonly string[])[];
  #nextHttpId = HTTP_REQUEST_ID_FIRST;
  #stats: TransferStats = { uploadedBytes: 0, downloadedBytes: 0, leftBytes: undefined };
  #isPrivate: boolean;
  #isRunning = false;
  /** The download finished in this session. */
  #isCompleted = false;

  /** @throws AppError ERR_TRACKER_BAD_OPTION. */
  constructor(options: AnnouncerOptions) {
    checkOptions(options);
    this.#options = options;
    this.#rng = options.rng;
    this.#isPrivate = options.isPrivate ?? false;
    this.#key = options.key ?? options.rng.u32();
    // Shuffled once and for all hashes: both halves of a hybrid start at the same tracker.
    this.#tiers = options.tiers.map((tier) => options.rng.shuffle([...tier]));
    for (const hash of options.hashes) this.#addLanes(hash);
  }

  /** True between start and stop. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** True when no answer is awaited: after stop, that all goodbyes are said or given up. */
  get isIdle(): boolean {
    return this.#requests.size === 0;
  }

  /** The state of each tracker in the order of the torrent, both hashes taken together. */
  get status(): readonly TrackerStatus[] {
    return summarize(this.#lanes);
  }

  /** What the next announces tell; none is sent for it. */
  updateStats(stats: TransferStats): void {
    this.#stats = stats;
  }

  /** Announces `started`. Set the stats first: what is complete now never sends `completed`. No-op when running. */
  start(nowMs: number): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#isCompleted = false;
    for (const lane of this.#lanes) this.#startLane(nowMs, lane);
  }

  /** The download finished in this session: says `completed` once to each tracker that knows us as a leech. */
  complete(nowMs: number): void {
    this.#stats = { ...this.#stats, leftBytes: 0, isPartialSeed: false };
    if (!this.#isRunning || this.#isCompleted) return;
    this.#isCompleted = true;
    for (const lane of this.#lanes) {
      // A lane that waits for an answer or for its next try tells it then.
      if (lane.requestId === undefined && lane.failures === 0 && lane.current !== undefined) {
        if (owedEvent(lane.current, true) !== undefined) this.#startRound(nowMs, lane, true);
      }
    }
  }

  /** Says `stopped` to every tracker that got `started`; poll and answer until `isIdle`. No-op when not running. */
  stop(nowMs: number): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    for (const lane of this.#lanes) {
      const pending = this.#dropRequest(lane);
      lane.queue = [];
      lane.nextMs = Number.POSITIVE_INFINITY;
      for (const tracker of lane.trackers) {
        const mayKnowUs = pending?.tracker === tracker && pending.phase !== 'connect';
        if (tracker.isStarted || mayKnowUs) this.#request(nowMs, lane, tracker, 'stopped');
        tracker.isStarted = false;
        if (tracker.activity !== 'disabled') tracker.activity = 'idle';
      }
    }
  }

  /** More peers are wanted: announces as early as the trackers allow (min interval, at least 60 s after the last). */
  needPeers(nowMs: number): void {
    for (const lane of this.#lanes) {
      const last = lane.current?.lastAnnounceMs;
      if (!this.#isRunning || lane.failures > 0 || last === undefined) continue;
      const allowedMs = last + lane.current!.minIntervalMs;
      lane.nextMs = Math.min(lane.nextMs, Math.max(nowMs, allowedMs));
    }
    this.handleTimeout(nowMs);
  }

  /** Tries failed trackers again at once, as when the network came back or the user asks. */
  retryNow(nowMs: number): void {
    if (!this.#isRunning) return;
    for (const lane of this.#lanes) {
      if (lane.failures === 0 && !this.#isRetrying(lane)) continue;
      this.#dropRequest(lane);
      lane.failures = 0;
      this.#startRound(nowMs, lane);
    }
  }

  /** The other info-hash of a hybrid became known. A known one is ignored. @throws AppError ERR_TRACKER_BAD_OPTION. */
  addHash(nowMs: number, infoHash: Uint8Array): void {
    checkOption(infoHash.length === 20, 'infoHash', '20 bytes', infoHash.length);
    if (this.#lanes.some((lane) => equalBytes(lane.infoHash, infoHash))) return;
    checkOption(
      this.#hashCount < HASHES_MAX,
      'addHash',
      `at most ${HASHES_MAX} hashes`,
      HASHES_MAX + 1,
    );
    const from = this.#lanes.length;
    this.#addLanes(infoHash);
    if (this.#isRunning) for (const lane of this.#lanes.slice(from)) this.#startLane(nowMs, lane);
  }

  /** The metadata of a magnet said private. Only with the default `announceTo`. @throws AppError ERR_TRACKER_BAD_OPTION. */
  setPrivate(): void {
    if (this.#isPrivate) return;
    const announceTo = this.#options.announceTo ?? 'first-tracker';
    checkOption(announceTo === 'first-tracker', 'announceTo', 'first-tracker', announceTo);
    this.#isPrivate = true;
  }

  /** The next output, or undefined when there is none. */
  poll(): AnnouncerOutput | undefined {
    return this.#outputs.shift();
  }

  /** When handleTimeout must be called, in milliseconds of the caller's clock; Infinity: not before the next input. */
  nextTimeoutMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const request of this.#requests.values()) next = Math.min(next, request.deadlineMs);
    for (const lane of this.#lanes) {
      if (lane.requestId === undefined) next = Math.min(next, lane.nextMs);
    }
    return next;
  }

  /** Does what is due. Early calls do no harm. */
  handleTimeout(nowMs: number): void {
    for (const [id, request] of [...this.#requests]) {
      if (request.deadlineMs <= nowMs) this.#timeOut(nowMs, id, request);
    }
    for (const lane of this.#lanes) {
      if (lane.requestId === undefined && lane.nextMs <= nowMs) this.#startRound(nowMs, lane);
    }
  }

  /** The response to an `http` output; unknown ids (late, cancelled) are ignored. */
  handleHttpReply(
    nowMs: number,
    requestId: number,
    response: {
      readonly status: number;
      readonly body: Uint8Array;
      /** What its Retry-After header asks for (RFC 9110). */
      readonly retryAfterMs?: number;
    },
  ): void {
    const request = this.#requests.get(requestId);
    if (request?.phase !== 'http') return;
    const reply = parseHttpReply(response.status, response.body);
    this.#requests.delete(requestId);
    // Only who did not serve us can mean a later time by it than the interval says.
    if (response.retryAfterMs !== undefined && (!reply.ok || reply.value.type === 'refusal')) {
      request.tracker.notBeforeMs = nowMs + Math.min(response.retryAfterMs, INTERVAL_MAX_MS);
    }
    if (reply.ok) this.#answered(nowMs, request, reply.value);
    else this.#failed(nowMs, request, reply.code, reply.message);
  }

  /**
   * A datagram that answers a `udp` output; anything that doesn't fit the request is ignored.
   * @param addressLengthBytes of the sender's family: 4 for IPv4 (default), 16 for IPv6.
   */
  handleUdpReply(
    nowMs: number,
    requestId: number,
    bytes: Uint8Array,
    addressLengthBytes: 4 | 16 = 4,
  ): void {
    const request = this.#requests.get(requestId);
    if (request === undefined || request.phase === 'http') return;
    if (bytes.length < 8 || readU32(bytes, 4) !== requestId) return;
    const reply = parseUdpReply(bytes, addressLengthBytes);
    // Not an answer to what was asked: a forgery or a fault, and the right one may still come.
    if (!reply.ok || (reply.value.type !== 'refusal' && reply.value.type !== request.phase)) return;
    this.#requests.delete(requestId);
    const name = connectionName(request.tracker);
    if (reply.value.type === 'connect') {
      this.#connections.set(nowMs, name, reply.value.connectionId);
      this.#sendUdpAnnounce(nowMs, request, reply.value.connectionId, 0, false);
      return;
    }
    if (reply.value.type === 'refusal') {
      this.#connections.delete(name);
      // A restarted tracker has forgotten its connection ids: that is no refusal of the torrent.
      if (request.isOldConnection) {
        this.#sendUdpConnect(nowMs, request, 0);
        return;
      }
    }
    this.#answered(nowMs, request, reply.value);
  }

  /** A request could not be made: name not resolved, connection refused, policy. */
  handleFailure(nowMs: number, requestId: number, message: string): void {
    const request = this.#requests.get(requestId);
    if (request === undefined) return;
    this.#requests.delete(requestId);
    this.#failed(nowMs, request, 'ERR_TRACKER_UNREACHABLE', message);
  }

  get #hashCount(): number {
    return new Set(this.#lanes.map((lane) => lane.infoHash)).size;
  }

  #addLanes(infoHash: Uint8Array): void {
    const policy = this.#isPrivate ? 'first-tracker' : this.#options.announceTo;
    const trackers = readTrackers(this.#tiers);
    const { isCompletedTold } = this.#options;
    for (const tracker of trackers) {
      tracker.isCompletedTold = isCompletedTold?.(tracker.url, infoHash) ?? false;
    }
    this.#lanes.push(...createLanes(infoHash.slice(), trackers, policy ?? 'first-tracker'));
  }

  #startLane(nowMs: number, lane: Lane): void {
    for (const tracker of lane.trackers) resetSession(tracker);
    lane.current = undefined;
    lane.failures = 0;
    this.#startRound(nowMs, lane);
  }

  /** Asks the trackers of a lane one after another until one accepts. */
  #startRound(nowMs: number, lane: Lane, isCurrentFirst = false): void {
    const candidates = this.#candidates(lane);
    lane.queue = candidates.filter((tracker) => tracker.notBeforeMs <= nowMs);
    lane.isSoleCandidate = candidates.length === 1;
    const current = lane.current;
    // BEP 27: a private torrent leaves its tracker only when that fails, so the earlier tiers have to wait.
    if (current !== undefined && (isCurrentFirst || this.#isPrivate)) {
      const at = lane.queue.indexOf(current);
      if (at > 0) lane.queue.unshift(...lane.queue.splice(at, 1));
    }
    if (lane.queue.length > 0) {
      this.#tryNext(nowMs, lane);
      return;
    }
    lane.nextMs = Math.min(
      Number.POSITIVE_INFINITY,
      ...candidates.map((tracker) => tracker.notBeforeMs),
    );
  }

  /** Who may be asked at all, in order. */
  #candidates(lane: Lane): TrackerState[] {
    const usable = lane.trackers.filter((tracker) => tracker.activity !== 'disabled');
    const leader = this.#lanes[0]!;
    if (!this.#isPrivate || lane === leader) return usable;
    // BEP 27: the second hash follows the first, so that both use the one tracker.
    return usable.filter((tracker) => tracker.url === leader.current?.url);
  }

  #tryNext(nowMs: number, lane: Lane): void {
    const tracker = lane.queue.shift();
    if (tracker === undefined) {
      this.#endFailedRound(nowMs, lane);
      return;
    }
    const event = owedEvent(tracker, this.#isCompleted);
    this.#request(nowMs, lane, tracker, event ?? (this.#stats.isPartialSeed ? 'paused' : 'none'));
  }

  #endFailedRound(nowMs: number, lane: Lane): void {
    // A tracker that comes back must not be met by everybody at once.
    const delayMs = retryDelayMs(lane.failures) * (1 + this.#rng.float() * RETRY_JITTER);
    lane.failures = Math.min(lane.failures + 1, RETRY_EXPONENT_MAX);
    const usable = this.#candidates(lane);
    const allowedMs = Math.min(
      Number.POSITIVE_INFINITY,
      ...usable.map((tracker) => tracker.notBeforeMs),
    );
    lane.nextMs = Math.max(nowMs + delayMs, allowedMs);
  }

  #request(nowMs: number, lane: Lane, tracker: TrackerState, event: AnnounceEvent): void {
    const request: PendingRequest = {
      lane,
      tracker,
      event,
      phase: 'http',
      deadlineMs: 0,
      retries: 0,
      isOldConnection: false,
    };
    if (event !== 'stopped') tracker.activity = 'announcing';
    if (tracker.target?.scheme !== 'udp') {
      this.#sendHttp(nowMs, request);
      return;
    }
    const connectionId = this.#connections.get(nowMs, connectionName(tracker));
    if (connectionId === undefined) this.#sendUdpConnect(nowMs, request, 0);
    else this.#sendUdpAnnounce(nowMs, request, connectionId, 0, true);
  }

  #sendHttp(nowMs: number, request: PendingRequest): void {
    const { tracker, lane, event } = request;
    const id = this.#nextHttpId;
    this.#nextHttpId += 1;
    const timeoutMs =
      event === 'stopped'
        ? STOP_TIMEOUT_MS
        : lane.queue.length > 0
          ? FAIL_OVER_TIMEOUT_MS
          : HTTP_TIMEOUT_MS;
    this.#noteLeech(request);
    const { peerId, port, ipv4, ipv6 } = this.#options;
    const url = buildAnnounceUrl(tracker.target!.href, {
      infoHash: lane.infoHash,
      peerId,
      port,
      key: this.#key,
      uploadedBytes: this.#stats.uploadedBytes,
      downloadedBytes: this.#stats.downloadedBytes,
      leftBytes: this.#stats.leftBytes ?? LEFT_UNKNOWN_BYTES,
      event,
      numWant: this.#numWant(event),
      ...(tracker.trackerId !== undefined && { trackerId: tracker.trackerId }),
      ...(ipv4 !== undefined && { ipv4 }),
      ...(ipv6 !== undefined && { ipv6 }),
    });
    this.#track(id, { ...request, phase: 'http', deadlineMs: nowMs + timeoutMs });
    const trackerUrl = tracker.url;
    const maxBytes = REPLY_LENGTH_MAX;
    this.#outputs.push({ type: 'http', requestId: id, url, trackerUrl, timeoutMs, maxBytes });
  }

  #sendUdpConnect(nowMs: number, request: PendingRequest, retries: number): void {
    const id = this.#newTransactionId();
    const bytes = encodeUdpConnect(id);
    const deadlineMs = this.#udpDeadlineMs(nowMs, request, retries);
    const isOldConnection = false;
    this.#track(id, { ...request, phase: 'connect', bytes, retries, deadlineMs, isOldConnection });
    this.#transmit(id, request.tracker, bytes);
  }

  #sendUdpAnnounce(
    nowMs: number,
    request: PendingRequest,
    connectionId: Uint8Array,
    retries: number,
    isOldConnection: boolean,
  ): void {
    const { tracker, lane, event } = request;
    this.#noteLeech(request);
    const id = this.#newTransactionId();
    const bytes = encodeUdpAnnounce({
      connectionId,
      transactionId: id,
      infoHash: lane.infoHash,
      peerId: this.#options.peerId,
      port: this.#options.port,
      key: this.#key,
      uploadedBytes: this.#stats.uploadedBytes,
      downloadedBytes: this.#stats.downloadedBytes,
      leftBytes: this.#stats.leftBytes ?? LEFT_UNKNOWN_BYTES,
      event,
      numWant: this.#numWant(event),
      urlData: tracker.target!.pathAndQuery,
    });
    const deadlineMs = this.#udpDeadlineMs(nowMs, request, retries);
    this.#track(id, { ...request, phase: 'announce', bytes, retries, deadlineMs, isOldConnection });
    this.#transmit(id, tracker, bytes);
  }

  #transmit(requestId: number, tracker: TrackerState, bytes: Uint8Array): void {
    const { host, port } = tracker.target!;
    const trackerUrl = tracker.url;
    this.#outputs.push({ type: 'udp', requestId, trackerUrl, host, port, bytes });
  }

  /** A goodbye has one deadline for all its datagrams. */
  #udpDeadlineMs(nowMs: number, request: PendingRequest, retries: number): number {
    if (request.event !== 'stopped') return nowMs + retryDelayMs(retries);
    return request.deadlineMs === 0 ? nowMs + STOP_TIMEOUT_MS : request.deadlineMs;
  }

  #track(id: number, request: PendingRequest): void {
    this.#requests.set(id, request);
    if (request.event !== 'stopped') request.lane.requestId = id;
  }

  #noteLeech({ tracker, event }: PendingRequest): void {
    if (event !== 'stopped' && this.#stats.leftBytes !== 0) tracker.knowsUsAsLeech = true;
  }

  #newTransactionId(): number {
    let id = this.#rng.u32();
    while (this.#requests.has(id)) id = this.#rng.u32();
    return id;
  }

  #numWant(event: AnnounceEvent): number {
    return event === 'stopped' ? 0 : (this.#options.numWant ?? NUM_WANT_DEFAULT);
  }

  #dropRequest(lane: Lane): PendingRequest | undefined {
    if (lane.requestId === undefined) return undefined;
    const request = this.#requests.get(lane.requestId);
    this.#requests.delete(lane.requestId);
    lane.requestId = undefined;
    if (request?.tracker.activity === 'announcing') request.tracker.activity = 'idle';
    return request;
  }

  #isRetrying(lane: Lane): boolean {
    const request = lane.requestId === undefined ? undefined : this.#requests.get(lane.requestId);
    return request !== undefined && request.retries > 0;
  }

  #timeOut(nowMs: number, id: number, request: PendingRequest): void {
    this.#requests.delete(id);
    const mayRetry =
      request.phase !== 'http' &&
      request.event !== 'stopped' &&
      request.lane.isSoleCandidate &&
      request.retries < RETRY_EXPONENT_MAX;
    if (!mayRetry) {
      // Hours of silence don't earn a new series of quick tries.
      if (request.retries > 0) request.lane.failures = RETRY_EXPONENT_MAX;
      this.#failed(nowMs, request, 'ERR_TRACKER_TIMEOUT', 'expected an answer, got none');
      return;
    }
    const retries = request.retries + 1;
    const message = `expected an answer, got none; asked again, waiting ${retryDelayMs(retries) / 1000} s`;
    this.#report(request, 'ERR_TRACKER_TIMEOUT', message);
    const hasExpired =
      request.phase === 'announce' &&
      this.#connections.get(nowMs, connectionName(request.tracker)) === undefined;
    if (hasExpired) {
      this.#sendUdpConnect(nowMs, request, retries);
      return;
    }
    // The same transaction id again: a late answer to the first datagram is as good.
    const deadlineMs = this.#udpDeadlineMs(nowMs, request, retries);
    this.#track(id, { ...request, retries, deadlineMs });
    this.#transmit(id, request.tracker, request.bytes!);
  }

  #answered(nowMs: number, request: PendingRequest, reply: AnnounceReply | RefusalReply): void {
    const { tracker, event } = request;
    if (event === 'stopped') return;
    if (reply.type === 'announce') {
      this.#accepted(nowMs, request, reply);
      return;
    }
    if (reply.retryInMs === 'never') tracker.activity = 'disabled';
    // Who answers and refuses is not asked again within a minute, whatever the others do.
    else {
      const waitMs = reply.retryInMs ?? INTERVAL_MIN_MS;
      tracker.notBeforeMs = Math.max(tracker.notBeforeMs, nowMs + waitMs);
    }
    this.#failed(nowMs, request, 'ERR_TRACKER_REFUSED', reply.reason);
  }

  #failed(nowMs: number, request: PendingRequest, code: TrackerFaultCode, message: string): void {
    this.#report(request, code, message);
    if (request.event === 'stopped') return;
    const { lane, tracker } = request;
    if (tracker.activity !== 'disabled') tracker.activity = 'failing';
    lane.requestId = undefined;
    this.#tryNext(nowMs, lane);
  }

  #report(request: PendingRequest, code: TrackerFaultCode, message: string): void {
    request.tracker.lastError = message;
    const { url } = request.tracker;
    const { infoHash } = request.lane;
    this.#outputs.push({ type: 'failure', trackerUrl: url, infoHash, code, message });
  }

  #accepted(nowMs: number, request: PendingRequest, reply: AnnounceReply): void {
    const { lane, tracker, event } = request;
    lane.requestId = undefined;
    lane.failures = 0;
    lane.queue = [];
    acknowledge(tracker, event);
    const { url: trackerUrl } = tracker;
    if (event === 'completed') {
      this.#outputs.push({ type: 'completed', trackerUrl, infoHash: lane.infoHash });
    }
    const minIntervalMs = clampInterval(reply.minIntervalMs ?? INTERVAL_MIN_MS);
    const intervalMs = clampInterval(reply.intervalMs ?? INTERVAL_DEFAULT_MS);
    tracker.activity = 'working';
    tracker.lastError = undefined;
    tracker.warning = reply.warning;
    tracker.lastAnnounceMs = nowMs;
    tracker.minIntervalMs = minIntervalMs;
    tracker.seeds = reply.seeds ?? tracker.seeds;
    tracker.leeches = reply.leeches ?? tracker.leeches;
    tracker.trackerId = reply.trackerId ?? tracker.trackerId;
    tracker.peersReceived += reply.peers.length;
    promote(lane.trackers, tracker);
    this.#setCurrent(nowMs, lane, tracker);
    this.#reportReply(lane, tracker, reply);
    lane.nextMs = nowMs + Math.max(intervalMs, minIntervalMs);
    if (owedEvent(tracker, this.#isCompleted) !== undefined) this.#startRound(nowMs, lane, true);
  }

  #setCurrent(nowMs: number, lane: Lane, tracker: TrackerState): void {
    const former = lane.current;
    lane.current = tracker;
    if (!this.#isPrivate || lane !== this.#lanes[0] || former === tracker) return;
    if (former !== undefined) {
      this.#outputs.push({ type: 'switch', fromUrl: former.url, toUrl: tracker.url });
    }
    for (const follower of this.#lanes.slice(1)) {
      this.#dropRequest(follower);
      follower.failures = 0;
      this.#startRound(nowMs, follower);
    }
  }

  #reportReply(lane: Lane, tracker: TrackerState, reply: AnnounceReply): void {
    const { infoHash } = lane;
    const trackerUrl = tracker.url;
    if (reply.externalAddress !== undefined) {
      const address = reply.externalAddress;
      this.#outputs.push({ type: 'external-address', trackerUrl, address });
    }
    if (reply.warning !== undefined) {
      this.#outputs.push({ type: 'warning', trackerUrl, infoHash, message: reply.warning });
    }
    if (reply.peers.length > 0) {
      this.#outputs.push({ type: 'peers', trackerUrl, infoHash, peers: reply.peers });
    }
  }
}
