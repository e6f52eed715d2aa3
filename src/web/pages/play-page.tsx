/**
 * Plays a file of a torrent while it downloads, with the subtitles that lie beside it, or hands its address to a player.
 * @module
 */
import { useEffect, useRef, useState } from 'react';
import type { TorrentFile } from '../../contract/index.ts';
import { Button, CopyButton } from '../parts/button.tsx';
import { Empty } from '../parts/empty.tsx';
import { Icon } from '../parts/icon.tsx';
import { Name } from '../parts/name.tsx';
import { contentUrl, request } from '../state/api.ts';
import { torrent, useTopics } from '../state/live.ts';
import { attempt } from '../state/notice.ts';
import { href, route } from '../state/route.ts';
import { useRow } from '../state/use-collection.ts';
import { usePart } from '../state/value.ts';
import { bytesText, percentText } from '../words/format.ts';
import { shownName } from '../words/shown-name.ts';

interface Subtitle {
  readonly label: string;
  readonly language: string;
  readonly url: string;
}

function useSubtitles(id: string, index: number): readonly Subtitle[] {
  const [rows, setRows] = useState<readonly Subtitle[]>([]);
  useEffect(() => {
    let isOver = false;
    request<readonly Subtitle[]>('GET', `/torrents/${id}/files/${index}/subtitles`).then(
      (found) => isOver || setRows(found),
      // A film plays without subtitles, too.
      () => undefined,
    );
    return () => {
      isOver = true;
    };
  }, [id, index]);
  return rows;
}

/** What the player has buffered, and where it stands. */
function BufferedMap({ player }: { readonly player: HTMLMediaElement | null }) {
  const [parts, setParts] = useState<readonly (readonly [number, number])[]>([]);
  useEffect(() => {
    if (player === null) return;
    const read = (): void => {
      const { buffered, duration } = player;
      if (!(duration > 0)) return;
      setParts(
        Array.from({ length: buffered.length }, (_, at) => [
          buffered.start(at) / duration,
          buffered.end(at) / duration,
        ]),
      );
    };
    const names = ['progress', 'timeupdate', 'seeked', 'loadedmetadata'];
    for (const name of names) player.addEventListener(name, read);
    return () => {
      for (const name of names) player.removeEventListener(name, read);
    };
  }, [player]);
  return (
    <svg
      className="buffered"
      viewBox="0 0 1 1"
      preserveAspectRatio="none"
      role="img"
      aria-label="What is buffered"
    >
      {parts.map(([from, to]) => (
        <rect key={from} x={from} width={to - from} height="1" />
      ))}
    </svg>
  );
}

function MediaElement({ id, file }: { readonly id: string; readonly file: TorrentFile }) {
  const subtitles = useSubtitles(id, file.index);
  const [player, setPlayer] = useState<HTMLMediaElement | null>(null);
  const [problem, setProblem] = useState<string>();
  const isReported = useRef(false);
  const source = contentUrl(id, file.index);
  const onError = (): void => {
    if (isReported.current) return;
    isReported.current = true;
    setProblem(
      'The browser cannot play this file, or it does not come. Open it in VLC or mpv with the address below.',
    );
  };
  const isAudio = file.mediaType?.startsWith('audio/') === true;
  if (file.mediaType?.startsWith('image/') === true) {
    return <img className="player" src={source} alt={shownName(file.path)} />;
  }
  return (
    <>
      {isAudio ? (
        // biome-ignore lint/a11y/useMediaCaption: nobody has captions of a sound file.
        <audio ref={setPlayer} className="player" src={source} controls onError={onError} />
      ) : (
        // biome-ignore lint/a11y/useMediaCaption: its tracks are those that the torrent has.
        <video ref={setPlayer} className="player" src={source} controls onError={onError}>
          {subtitles.map(({ url, label, language }) => (
            <track
              key={url}
              kind="subtitles"
              src={url}
              srcLang={language || 'und'}
              label={shownName(label)}
            />
          ))}
        </video>
      )}
      <BufferedMap player={player} />
      {problem === undefined ? null : (
        <p className="problem" role="alert">
          <Icon name="warning" /> {problem}
        </p>
      )}
    </>
  );
}

function Elsewhere({ id, index }: { readonly id: string; readonly index: number }) {
  const [ticket, setTicket] = useState<{ readonly url: string; readonly playlist?: string }>();
  const make = (): Promise<boolean> =>
    attempt(async () => {
      setTicket(await request('POST', `/torrents/${id}/files/${index}/ticket`));
    });
  return (
    <section className="card stack" aria-labelledby="elsewhere">
      <h2 id="elsewhere">In VLC or mpv</h2>
      {ticket === undefined ? (
        <>
          <p className="hint">
            Makes an address that plays this one file for a day, in any player. Whoever has it can
            read the file.
          </p>
          <div>
            <Button icon="play" onClick={() => void make()}>
              Make the address
            </Button>
          </div>
        </>
      ) : (
        <>
          <code className="link-box">{ticket.url}</code>
          <div className="row-of-buttons">
            <CopyButton text={ticket.url} label="Copy address" />
            {ticket.playlist === undefined ? null : (
              <a className="button plain" href={ticket.playlist} download>
                <Icon name="download" />
                <span>Playlist</span>
              </a>
            )}
          </div>
        </>
      )}
    </section>
  );
}

export function PlayPage() {
  const [id = '', at = ''] = usePart(route, ({ parts }) => parts);
  useTopics(`torrent:${id}`);
  const index = Number(at);
  const file = useRow(torrent, `file:${index}`) as TorrentFile | undefined;
  if (file === undefined) {
    return (
      <Empty icon="play" title="Nothing to play">
        <p>This file is not known, or not yet. Open a torrent’s files and choose one.</p>
      </Empty>
    );
  }
  const share = file.lengthBytes === 0 ? 1 : file.doneBytes / file.lengthBytes;
  return (
    <div className="page">
      <div className="page-head">
        <h1>
          <Name text={file.path.split('/').at(-1) ?? file.path} />
        </h1>
        <a className="button plain" href={href('transfers', id, 'files')}>
          <span>All files</span>
        </a>
      </div>
      <MediaElement key={`${id} ${index}`} id={id} file={file} />
      <p className="hint num">
        {bytesText(file.lengthBytes)} · {percentText(share)} is here; what plays is fetched first.
      </p>
      <Elsewhere key={`elsewhere ${id} ${index}`} id={id} index={index} />
    </div>
  );
}
