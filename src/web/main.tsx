/**
 * Where the dashboard begins in the browser.
 * @module
 */
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { beginLive } from './state/live.ts';
import { beginNews } from './state/news.ts';
import { beginHistory } from './state/rate-history.ts';
import { beginRoutes } from './state/route.ts';
import { beginServicePages } from './state/service-pages.ts';
import { beginSession } from './state/session.ts';
import { beginTheme } from './state/theme.ts';
import { beginTitle } from './state/title.ts';

beginTheme();
// Takes the token out of the address before the routes read it.
void beginSession();
beginRoutes();
beginLive();
beginHistory();
beginNews();
beginServicePages();
beginTitle();
createRoot(document.getElementById('root')!).render(<App />);
