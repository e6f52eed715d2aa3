/**
 * Icons: strokes on a grid of 24, in the colour of the text beside them. They never carry a meaning alone: a word or a label stands with each.
 * @module
 */

const PATHS = {
  transfers: 'M7 4v13m0 0-3.5-3.5M7 17l3.5-3.5M17 20V7m0 0-3.5 3.5M17 7l3.5 3.5',
  share: 'M12 15V4m0 0L8 8m4-4 4 4M5 13v5a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-5',
  send: 'M21 4 10.5 14.5M21 4l-6.5 17-4-6.5L4 10.5 21 4',
  contacts:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M2.5 20a6.5 6.5 0 0 1 13 0M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8',
  network:
    'M12 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M5 21.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M19 21.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M10.8 7.2 6.2 16.8M13.2 7.2l4.6 9.6M7.5 19h9',
  activity: 'M3 12h4l3-8 4 16 3-8h4',
  settings:
    'M4 7h9m4 0h3M4 17h3m4 0h9M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5',
  log: 'M5 5h14M5 10h14M5 15h9M5 20h6',
  plus: 'M12 5v14M5 12h14',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 4.5v15l12-7.5z',
  remove: 'M4 7h16M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10 11v5.5M14 11v5.5',
  close: 'M6 6l12 12M18 6 6 18',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14M16 16l4.5 4.5',
  down: 'M12 4v15m0 0-6-6m6 6 6-6',
  up: 'M12 20V5m0 0-6 6m6-6 6 6',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M4.5 12.5 10 18 20 6.5',
  warning: 'M12 4 2.5 20h19zM12 10v4.5M12 17.2v.3',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  folder: 'M3 6h6l2 2.5h10V19H3z',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  help: 'M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.3M12 21.5a9.5 9.5 0 1 0 0-19 9.5 9.5 0 0 0 0 19',
  more: 'M6 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0M13 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0M20 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0',
  sort: 'M7 5v14m0 0-3-3m3 3 3-3M13 7h8M13 12h6M13 17h4',
  leave: 'M14 5h5v14h-5M4 12h10m0 0-4-4m4 4-4 4',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
  system: 'M3.5 5h17v11h-17zM9 20h6',
  expand: 'M5 14v5h5M19 10V5h-5M5 19l6-6M19 5l-6 6',
  download: 'M12 4v11m0 0-4.5-4.5M12 15l4.5-4.5M5 20h14',
  recheck: 'M20 12a8 8 0 1 1-2.6-5.9M20 3v4.5h-4.5',
  tag: 'M3.5 3.5H12l8.5 8.5-8.5 8.5L3.5 12zM8 8h.1',
  columns: 'M4 5h16v14H4zM10 5v14M15 5v14',
  pen: 'M4 20l1-5L16 4l4 4L9 19zM13.5 6.5l4 4',
  speed: 'M4 18a9 9 0 1 1 16 0M12 14l4-5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
