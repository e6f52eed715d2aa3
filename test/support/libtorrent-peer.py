"""libtorrent as a peer of the interop tests: takes one JSON object as its argument, prints JSON lines.

create: {"create": path, "out": file, "flags": "v1"|"v2"|"hybrid", "pieceLength": bytes, "isCanonical": bool}
        canonical: files in the order of their names, which is that of the folder on the disk in v1 otherwise, and no pad after the last
peer:   {"source": torrent file or magnet, "dir": folder, "port": n, "peers": ["host:port"], "uploadLimit": n,
         "host": address to listen on, "lsd": bool, "dht": ["host:port"]}
        dht: nodes to begin with; it looks for the torrent once one of them led it to others. Ends when its standard input ends.
node:   {"node": true, "port": n, "dht": ["host:port"]}
        a DHT node without torrents; each line of its standard input is a call: {"call": "put", "value": text}, {"call": "get", "target": hex},
        {"call": "putMutable", "value": text, "seed": hex, "key": hex, "salt": text}, {"call": "getMutable", "key": hex, "salt": text}.
"""
import hashlib
import json
import os
import sys
import threading
import time

import libtorrent as lt


def say(**fields):
    print(json.dumps(fields), flush=True)


def hashes(info):
    found = info.info_hashes()
    result = {}
    if found.has_v1():
        result["infoHashV1"] = str(found.v1)
    if found.has_v2():
        result["infoHashV2"] = str(found.v2)
    return result


def add_sorted_files(storage, path):
    top = os.path.dirname(path)
    found = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
    for file in sorted(found or [path], key=lambda file: os.fsencode(file).split(b"/")):
        storage.add_file(os.path.relpath(file, top), os.path.getsize(file))


def create(job):
    storage = lt.file_storage()
    if job.get("isCanonical"):
        add_sorted_files(storage, job["create"])
    else:
        lt.add_files(storage, job["create"])
    flags = {
        "v1": lt.create_torrent.v1_only,
        "v2": lt.create_torrent.v2_only,
        "hybrid": 0,
    }[job["flags"]]
    if job.get("isCanonical") and job["flags"] == "hybrid":
        flags = lt.create_torrent.canonical_files_no_tail_padding
    torrent = lt.create_torrent(storage, job.get("pieceLength", 0), flags)
    lt.set_piece_hashes(torrent, os.path.dirname(job["create"]))
    with open(job["out"], "wb") as out:
        out.write(lt.bencode(torrent.generate()))
    info = lt.torrent_info(job["out"])
    say(type="created", name=info.name(), pieceLength=info.piece_length(), **hashes(info))


def dht_settings(job):
    if "dht" not in job:
        return {"enable_dht": False}
    return {
        "enable_dht": True,
        "dht_bootstrap_nodes": ",".join(job["dht"]),
        # All nodes of the tests have addresses of one network.
        "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False,
        "dht_enforce_node_id": False,
        "dht_prefer_verified_node_ids": False,
        "dht_ignore_dark_internet": False,
        # … and most of them the same one: a few of them would be taken for one that floods.
        "dht_block_ratelimit": 10_000,
        "dht_upload_rate_limit": 1_000_000,
    }


def open_session(job):
    return lt.session({
        **dht_settings(job),
        "listen_interfaces": "%s:%d" % (job.get("host", "127.0.0.1"), job["port"]),
        "enable_lsd": job.get("lsd", False),
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_outgoing_utp": False,
        "enable_incoming_utp": False,
        "allow_multiple_connections_per_ip": True,
        "announce_to_all_trackers": True,
        "upload_rate_limit": job.get("uploadLimit", 0),
        "alert_mask": lt.alert.category_t.error_notification
        | lt.alert.category_t.status_notification
        | lt.alert.category_t.tracker_notification
        | lt.alert.category_t.connect_notification
        | lt.alert.category_t.storage_notification
        | (lt.alert.category_t.dht_notification if "dht" in job else 0),
    })


def parameters(job):
    source = job["source"]
    if source.startswith("magnet:"):
        params = lt.parse_magnet_uri(source)
    else:
        params = lt.add_torrent_params()
        params.ti = lt.torrent_info(source)
    params.save_path = job["dir"]
    params.flags &= ~lt.torrent_flags.auto_managed
    params.flags &= ~lt.torrent_flags.paused
    return params


def watch_input(ended):
    sys.stdin.read()
    ended.set()


def wait_for_dht(session, ended):
    while not ended.is_set():
        session.wait_for_alert(50)
        if any(isinstance(alert, lt.dht_bootstrap_alert) for alert in session.pop_alerts()):
            return


def expanded(seed):
    """The form of a secret key that libtorrent takes."""
    digest = bytearray(hashlib.sha512(seed).digest())
    digest[0] &= 248
    digest[31] = digest[31] & 63 | 64
    return bytes(digest)


def run_calls(session, ended):
    for line in sys.stdin:
        job = json.loads(line)
        salt = job.get("salt", "")
        if job["call"] == "put":
            session.dht_put_immutable_item(job["value"])
        elif job["call"] == "get":
            session.dht_get_immutable_item(lt.sha1_hash(bytes.fromhex(job["target"])))
        elif job["call"] == "putMutable":
            key = bytes.fromhex(job["key"])
            session.dht_put_mutable_item(expanded(bytes.fromhex(job["seed"])), key, job["value"], salt)
        elif job["call"] == "getMutable":
            session.dht_get_mutable_item(bytes.fromhex(job["key"]), salt)
    ended.set()


def node(job):
    ended = threading.Event()
    session = open_session(job)
    threading.Thread(target=run_calls, args=(session, ended), daemon=True).start()
    while not ended.is_set():
        session.wait_for_alert(50)
        for alert in session.pop_alerts():
            if isinstance(alert, lt.listen_succeeded_alert) and "uTP" in alert.message():
                say(type="listening")
            elif isinstance(alert, lt.dht_bootstrap_alert):
                say(type="bootstrapped")
            elif isinstance(alert, lt.dht_put_alert):
                say(type="stored", target=str(alert.target), nodes=alert.num_success, seq=alert.seq)
            elif isinstance(alert, lt.dht_immutable_item_alert):
                say(type="item", value=alert.item["value"].decode())
            elif isinstance(alert, lt.dht_mutable_item_alert):
                say(type="signed", value=alert.item["value"].decode(), seq=alert.seq,
                    salt=alert.salt)


def go_on(handle, peers):
    """Checks again and resumes, as a user would.

    libtorrent 2.0.8 reads a piece of a hybrid torrent twice, once for each hash, and may stop with `torrent_inconsistent_hashes` when a
    block is written in between: seen in one of a hundred downloads on a busy machine. What it has then is checked anew, against both.
    """
    handle.clear_error()
    handle.force_recheck()
    connect(handle, peers)


def connect(handle, peers):
    for address in peers:
        host, port = address.rsplit(":", 1)
        handle.connect_peer((host, int(port)))


INCONSISTENT_HASHES = 217


def peer(job):
    ended = threading.Event()
    threading.Thread(target=watch_input, args=(ended,), daemon=True).start()
    session = open_session(job)
    if job.get("dht"):
        wait_for_dht(session, ended)
    handle = session.add_torrent(parameters(job))
    connect(handle, job.get("peers", []))
    said_metadata = said_seeding = False
    flush_by = None
    has_gone_on = False
    while not ended.is_set():
        session.wait_for_alert(50)
        is_flushed = False
        for alert in session.pop_alerts():
            is_flushed = is_flushed or isinstance(alert, lt.cache_flushed_alert)
            say(type="alert", text=alert.message(), kind=type(alert).__name__)
        status = handle.status()
        if status.errc.value() == INCONSISTENT_HASHES and not has_gone_on:
            has_gone_on = True
            go_on(handle, job.get("peers", []))
        if has_gone_on and status.paused and not status.errc.value():
            handle.resume()
        if status.has_metadata and not said_metadata:
            said_metadata = True
            info = handle.torrent_file()
            say(type="metadata", name=info.name(), **hashes(info))
        if not status.is_seeding or said_seeding:
            continue
        # Every piece is right, but its last bytes may still be on their way to the file.
        if flush_by is None:
            flush_by = time.monotonic() + 5
            handle.flush_cache()
        elif is_flushed or time.monotonic() > flush_by:
            said_seeding = True
            session.post_torrent_updates()
            say(type="seeding", downloaded=status.total_payload_download,
                uploaded=status.total_payload_upload)


if __name__ == "__main__":
    JOB = json.loads(sys.argv[1])
    if "create" in JOB:
        create(JOB)
    elif "node" in JOB:
        node(JOB)
    else:
        peer(JOB)
        time.sleep(0)
