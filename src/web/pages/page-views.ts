/**
 * The component of each page. A new page is named here, in state/route.ts and words/page-words.ts, and nowhere else.
 * @module
 */
import type { ComponentType } from 'react';
import type { Page } from '../state/route.ts';
import { TransfersPage } from './transfers/transfers-page.tsx';

function Later() {
  return null;
}

export const PAGE_VIEWS: Readonly<Record<Page, ComponentType>> = {
  transfers: TransfersPage,
  share: Later,
  send: Later,
  contacts: Later,
  network: Later,
  activity: Later,
  settings: Later,
  log: Later,
  play: Later,
};
