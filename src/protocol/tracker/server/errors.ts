/**
 * Why a tracker refuses a request.
 * @module
 */

/** Codes of failed Results of the tracker's own side; the client reads the message. */
export type TrackerServerFaultCode =
  /** A request that is not what the protocol says. */
  | 'ERR_TRACKER_REQUEST_MALFORMED'
  /** A path that is no tracker's. */
  | 'ERR_TRACKER_PATH'
  /** The key is missing or unknown. */
  | 'ERR_TRACKER_KEY'
  /** The torrent is not on the allow list. */
  | 'ERR_TRACKER_TORRENT'
  /** The address asks too often. */
  | 'ERR_TRACKER_TOO_OFTEN'
  /** A UDP request without a valid connection id: it is not answered. */
  | 'ERR_TRACKER_CONNECTION_ID'
  /** A line of an allow list is no info-hash. */
  | 'ERR_TRACKER_ALLOW_LIST';

/** Of these, what a request itself can be wrong in. */
export type RequestFaultCode = 'ERR_TRACKER_REQUEST_MALFORMED' | 'ERR_TRACKER_PATH';
