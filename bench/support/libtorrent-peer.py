"""One libtorrent session for the benchmarks: seeds or fetches one torrent, told its peers, with everything that looks for others off.

libtorrent-peer.py seed|get TORRENT DIR PORT [PEER_PORT ...]
Prints "ready" when it listens, and for get {"seconds": ...} from adding the torrent to having every piece.
"""
import json
import sys
import time

import libtorrent as lt

role, torrent, folder, port, *peers = sys.argv[1:]
session = lt.session({
    'listen_interfaces': f'127.0.0.1:{port}',
    'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'out_enc_policy': int(lt.enc_policy.pe_disabled), 'in_enc_policy': int(lt.enc_policy.pe_disabled),
    'enable_outgoing_utp': False, 'enable_incoming_utp': False,
    'allow_multiple_connections_per_ip': True,
    'alert_mask': 0,
})
params = lt.add_torrent_params()
params.ti = lt.torrent_info(torrent)
params.save_path = folder
if role == 'seed':
    params.flags |= lt.torrent_flags.seed_mode
started = time.monotonic()
handle = session.add_torrent(params)
for peer in peers:
    handle.connect_peer(('127.0.0.1', int(peer)))
if role == 'seed':
    while not handle.status().is_seeding or not session.is_listening():
        time.sleep(0.005)
    # For most of a second after that it still closes every connection that comes in; a leech that was told no later address would wait a minute.
    time.sleep(1.5)
print('ready', flush=True)
if role == 'seed':
    sys.stdin.read()
    sys.exit(0)
while not handle.status().is_seeding:
    time.sleep(0.005)
print(json.dumps({'seconds': time.monotonic() - started}), flush=True)
# Peers that still trade need us; the driver ends the process.
sys.stdin.read()
