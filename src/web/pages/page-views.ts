/**
 * The component of each page; all but the first are fetched when they are opened. A new page is named here, in state/route.ts and words/page-words.ts, and nowhere else.
 * @module
 */
import { type ComponentType, lazy } from 'react';
import type { Page } from '../state/route.ts';
import { TransfersPage } from './transfers/transfers-page.tsx';

export const PAGE_VIEWS: Readonly<Record<Page, ComponentType>> = {
  transfers: TransfersPage,
  share: lazy(async () => ({ default: (await import('./share-page.tsx')).SharePage })),
  send: lazy(async () => ({ default: (await import('./people/send-page.tsx')).SendPage })),
  contacts: lazy(async () => ({
    default: (await import('./people/contacts-page.tsx')).ContactsPage,
  })),
  network: lazy(async () => ({
    default: (await import('./network/network-page.tsx')).NetworkPage,
  })),
  activity: lazy(async () => ({ default: (await import('./activity-page.tsx')).ActivityPage })),
  settings: lazy(async () => ({ default: (await import('./settings-page.tsx')).SettingsPage })),
  log: lazy(async () => ({ default: (await import('./log-page.tsx')).LogPage })),
  play: lazy(async () => ({ default: (await import('./play-page.tsx')).PlayPage })),
  service: lazy(async () => ({ default: (await import('./service-page.tsx')).ServicePage })),
};
