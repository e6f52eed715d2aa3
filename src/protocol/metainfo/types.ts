/**
 * What a torrent says, after parsing and validation; every other room works from these shapes.
 *
 * Piece space: a torrent's files lie one after another, and pieces are equal cuts of that line. In v1 and hybrid torrents the
 * line is dense (pad files included). In v2-only torrents every non-empty file starts at a multiple of the piece length, and the
 * last piece of each file is short (BEP 52 "pieces are aligned to files"); the gap behind it belongs to no file.
 * @module
 */

/** Which hashes the pieces of a torrent have. */
export type HashedVersion = 'v1' | 'v2' | 'hybrid';

/** 'unhashed': the files of a transfer between two people, of which nothing was hashed (`protocol/send`); no torrent file or magnet is of this kind. */
export type TorrentVersion = HashedVersion | 'unhashed';

/** What follows from a version; every question that code has about one is asked here, so that a new version has to answer all of them. */
export interface VersionTraits {
  /** Pieces have SHA-1 hashes over a dense piece space. */
  readonly hasV1: boolean;
  /** Files have merkle trees, and each begins a piece. */
  readonly hasV2: boolean;
  /** Piece space has gaps that belong to no file, and pieces end with their file. */
  readonly hasGaps: boolean;
  /** Nothing says what a piece must be: what an authenticated peer sent and the disk took is had, and what is in doubt is fetched again. */
  readonly isUnhashed: boolean;
}

/** The traits of each version. */
export const VERSION_TRAITS: Readonly<Record<TorrentVersion, VersionTraits>> = {
  v1: { hasV1: true, hasV2: false, hasGaps: false, isUnhashed: false },
  v2: { hasV1: false, hasV2: true, hasGaps: true, isUnhashed: false },
  hybrid: { hasV1: true, hasV2: true, hasGaps: false, isUnhashed: false },
  unhashed: { hasV1: false, hasV2: false, hasGaps: false, isUnhashed: true },
};

/** One file of a torrent. */
export interface TorrentFile {
  /** Safe path components below the download folder; the first one is the torrent's name. */
  readonly path: readonly string[];
  readonly lengthBytes: number;
  /** Start in piece space. */
  readonly offsetBytes: number;
  /** BEP 47 pad file: zeros, never requested, never written. */
  readonly isPad: boolean;
  readonly isExecutable: boolean;
  readonly isHidden: boolean;
  /** BEP 47 symlink: safe components below the torrent's root, first one the torrent's name; the file then has length 0. */
  readonly symlinkTarget?: readonly string[];
  /** v2: the merkle root over the file's 16 KiB blocks, 32 bytes; absent for empty files and in v1. */
  readonly piecesRoot?: Uint8Array;
}

/** The info dictionary: what the info-hash covers. */
export interface Info {
  readonly version: TorrentVersion;
  /** Safe single path component: the top name of the torrent on disk. */
  readonly name: string;
  /** True when the torrent is one file called `name`, without a folder. */
  readonly isSingleFile: boolean;
  /** Bytes in a piece; v2: a power of two, at least 16 KiB. */
  readonly pieceLengthBytes: number;
  readonly pieceCount: number;
  /** In piece-space order, pad files included. */
  readonly files: readonly TorrentFile[];
  /** Bytes of all files that are not pads. */
  readonly totalBytes: number;
  readonly isPrivate: boolean;
  /** v1: 20 bytes a piece, concatenated. */
  readonly piecesV1?: Uint8Array;
  /** SHA-1 of `infoBytes`, 20 bytes; absent in v2-only. */
  readonly infoHashV1?: Uint8Array;
  /** SHA-256 of `infoBytes`, 32 bytes; absent in v1-only. */
  readonly infoHashV2?: Uint8Array;
  /** The exact source bytes of the info dictionary. */
  readonly infoBytes: Uint8Array;
}

/** A whole torrent file. */
export interface Metainfo {
  readonly info: Info;
  /**
   * v2: piece layer (32 bytes a piece, verified against the root) by lower-case hex of the file's root; only of files larger than a piece.
   * A missing layer is fetched from peers.
   */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
  /** BEP 12 tiers; `announce` alone makes one tier of one. */
  readonly trackers: readonly (readonly string[])[];
  /** BEP 19 `url-list`. */
  readonly webSeeds: readonly string[];
  /** BEP 5 `nodes`. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly comment?: string;
  readonly createdBy?: string;
  /** Seconds since 1970. */
  readonly creationDateSec?: number;
}

/** A part of a piece that lies in one file. */
export interface Segment {
  readonly fileIndex: number;
  /** Start in the file. */
  readonly fileOffsetBytes: number;
  /** Start in the piece. */
  readonly pieceOffsetBytes: number;
  readonly lengthBytes: number;
  readonly isPad: boolean;
}

/** A magnet link (BEP 9, BEP 53). */
export interface Magnet {
  /** 20 bytes. */
  readonly infoHashV1?: Uint8Array;
  /** 32 bytes. */
  readonly infoHashV2?: Uint8Array;
  readonly displayName?: string;
  readonly trackers: readonly string[];
  readonly webSeeds: readonly string[];
  /** `x.pe`: peers to try first. */
  readonly peers: readonly { readonly host: string; readonly port: number }[];
  /** `so`: file indices to download (pads counted); absent means all. */
  readonly selectOnly?: readonly number[];
}

/** A magnet link to whatever torrent a publisher put last (BEP 46). */
export interface PublicationLink {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 0 … 64 bytes: one key has a publication for each. */
  readonly salt: Uint8Array;
  readonly displayName?: string;
  readonly trackers: readonly string[];
  /** `x.pe`: peers to try first. */
  readonly peers: readonly { readonly host: string; readonly port: number }[];
}
