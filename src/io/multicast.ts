/**
 * A multicast group on chosen interfaces: everything sent to it there is received, and what is sent leaves on each of them.
 *
 * One socket receives for all interfaces, with the port shared among the programs of this machine; one per interface sends, from its address, so that
 * receivers see an address that they can reach. Datagrams don't leave the local network (TTL 1).
 * Some systems give a shared port what others of the machine joined for, so a datagram may come from an interface that is not among ours: judge senders.
 * Bounds: MAX_INTERFACES; the rest is left out. Not here: which interfaces, and who is believed.
 * @module
 */
import { createSocket, type Socket } from 'node:dgram';

/** One interface, by the address to send from. */
export interface MulticastInterface {
  /** As the system calls it. */
  readonly name: string;
  /** IP literal of the group's family. */
  readonly address: string;
}

/** How to join. */
export interface MulticastOptions {
  readonly family: 4 | 6;
  /** IP literal. */
  readonly group: string;
  readonly port: number;
  readonly interfaces: readonly MulticastInterface[];
  /** @param host where from; the bytes are the receiver's to keep. */
  readonly onMessage: (bytes: Uint8Array, host: string) => void;
}

/** A joined group. */
export interface MulticastGroup {
  /** Interfaces that could be joined. */
  readonly joinedCount: number;
  /** Sends on every interface; what cannot be sent is lost, as datagrams are. */
  send(bytes: Uint8Array): void;
  /** Resolves when the sockets are closed. May be called twice. */
  close(): Promise<void>;
}

// Implementation limits
/** Machines that run containers have hundreds of interfaces; nobody listens on most of them. */
const MAX_INTERFACES = 32;
const LOCAL_TTL = 1;

/** Joins a group. An interface that refuses is left out. @throws the system's error when the port cannot be bound. */
export async function joinMulticast(options: MulticastOptions): Promise<MulticastGroup> {
  const { family, group, port, onMessage } = options;
  const sockets: Socket[] = [];
  const open = (isShared: boolean): Socket => {
    const socket = createSocket({
      type: family === 4 ? 'udp4' : 'udp6',
      ipv6Only: family === 6,
      reuseAddr: isShared,
      // Only literals get here; a name would make a DNS query behind the policy's back.
      lookup: (name, _options, callback) => callback(null, name, family),
    });
    sockets.push(socket);
    return socket;
  };
  const close = async (): Promise<void> => {
    await Promise.all(
      sockets
        .splice(0)
        .map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
    );
  };
  const receiver = open(true);
  const senders: Socket[] = [];
  let joinedCount = 0;
  try {
    await bind(receiver, family === 4 ? '0.0.0.0' : '::', port);
    receiver.on('message', (bytes, from) => onMessage(bytes, from.address));
    for (const one of options.interfaces.slice(0, MAX_INTERFACES)) {
      if (!tryJoin(receiver, family, group, one)) continue;
      joinedCount += 1;
      const sender = await openSender(open(false), family, one);
      if (sender !== undefined) senders.push(sender);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    joinedCount,
    send(bytes) {
      if (sockets.length === 0) return;
      for (const sender of senders) sender.send(bytes, port, group, () => {});
    },
    close,
  };
}

function tryJoin(socket: Socket, family: 4 | 6, group: string, one: MulticastInterface): boolean {
  try {
    socket.addMembership(group, interfaceText(family, one));
    return true;
  } catch {
    // No multicast there, or the interface is gone.
    return false;
  }
}

async function openSender(
  socket: Socket,
  family: 4 | 6,
  one: MulticastInterface,
): Promise<Socket | undefined> {
  try {
    const isLinkLocal = family === 6 && one.address.startsWith('fe80');
    await bind(socket, isLinkLocal ? `${one.address}%${one.name}` : one.address, 0);
    socket.setMulticastInterface(interfaceText(family, one));
    socket.setMulticastTTL(LOCAL_TTL);
    // Other programs of this machine are neighbours too.
    socket.setMulticastLoopback(true);
    return socket;
  } catch {
    // The address is gone, or not usable yet: we still hear the others.
    return undefined;
  }
}

/** How Node names an interface: by address in IPv4, by zone in IPv6. */
function interfaceText(family: 4 | 6, { name, address }: MulticastInterface): string {
  return family === 4 ? address : `::%${name}`;
}

function bind(socket: Socket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject);
      // A multicast socket has nothing that could end it; what it reports is a datagram that was lost.
      socket.on('error', () => {});
      socket.unref();
      resolve();
    });
  });
}
