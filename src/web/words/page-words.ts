/**
 * The names of the pages.
 * @module
 */
import type { PAGES } from '../state/route.ts';

export const PAGE_WORDS: Readonly<Record<(typeof PAGES)[number], string>> = {
  transfers: 'Transfers',
  share: 'Share',
  send: 'Send & receive',
  contacts: 'Contacts',
  network: 'Network',
  activity: 'Activity',
  settings: 'Settings',
  log: 'Log',
};
