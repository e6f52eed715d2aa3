import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { type Asked, Auth, tokenOf } from './auth.ts';

const TOKEN = 'correct-horse-battery-staple-0123456789';
const COOKIE = new Auth({ token: TOKEN, file: '', hosts: () => [] }).cookieName;
const HOST = '127.0.0.1:7070';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;

class Rig {
  nowMs = 1_000;
  readonly passwords: string[] = [];
  readonly auth: Auth = new Auth({
    token: TOKEN,
    file: 'the-file',
    hosts: () => ['node.lan', '192.168.1.7'],
    checkPassword: async (password) => {
      this.passwords.push(password);
      return password === 'right';
    },
    nowMs: () => this.nowMs,
  });

  /** undefined: let in; else the code of the refusal. */
  place(headers: Asked['headers']): string | undefined {
    return codeOf(() => this.auth.checkPlace(asked({ headers })));
  }

  check(fields: Partial<Asked>): string | undefined {
    return codeOf(() => this.auth.check(asked(fields)));
  }

  guess(address = '127.0.0.1'): string | undefined {
    return this.check({ headers: { authorization: 'Bearer wrong' }, address });
  }

  async cookie(): Promise<string> {
    return (await this.auth.signIn({ token: TOKEN }, '127.0.0.1', false)).split(';', 1)[0]!;
  }
}

function asked(fields: Partial<Asked>): Asked {
  return { method: 'GET', url: '/api/v1/status', headers: {}, address: '127.0.0.1', ...fields };
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

async function codeOfPromise(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: { code: string }) => error.code,
  );
}

function basic(text: string): Asked {
  return asked({ headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` } });
}

describe('the host that is asked for', () => {
  it('is loopback in any of its forms, or a name that was set', () => {
    const rig = new Rig();
    for (const host of [
      '127.0.0.1',
      '127.0.0.1:7070',
      '127.8.9.10:1',
      'localhost',
      'LocalHost:65535',
      '[::1]',
      '[::1]:7070',
      'node.lan:7070',
      'NODE.LAN',
      '192.168.1.7',
    ]) {
      assert.equal(rig.place({ host }), undefined, host);
    }
  });

  it('is refused when it is anything else, as names that were bound anew are', () => {
    const rig = new Rig();
    for (const host of [
      '',
      'evil.example',
      'evil.example:7070',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      'evil.example.localhost',
      'localhost.',
      '127.0.0.1.',
      'node.lan.',
      'node.lan.evil.example',
      '127.0.0.1:7070:7070',
      '127.0.0.1:',
      '127.0.0.1:123456',
      '127.0.0.1@evil.example',
      'evil.example/127.0.0.1',
      '127.0.0.1 evil.example',
      '127.0.0.1, evil.example',
      '127.1',
      '2130706433',
      '0x7f.0.0.1',
      '0.0.0.0',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::1',
      '::1',
      '128.0.0.1',
      '192.168.1.8',
    ]) {
      assert.equal(rig.place({ host }), 'ERR_API_HOST', host);
    }
    assert.equal(rig.place({}), 'ERR_API_HOST', 'none');
  });
});

describe('the page that asks', () => {
  it('may be the own one, or none at all', () => {
    const rig = new Rig();
    for (const headers of [
      {},
      { origin: `http://${HOST}` },
      { origin: `HTTP://${HOST.toUpperCase()}` },
      { origin: `https://${HOST}` },
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
    ]) {
      assert.equal(rig.place({ host: HOST, ...headers }), undefined, JSON.stringify(headers));
    }
  });

  it('is refused from another site, another port of this machine, and nowhere', () => {
    const rig = new Rig();
    for (const headers of [
      { origin: 'http://evil.example' },
      { origin: `http://evil.example?${HOST}` },
      { origin: 'http://127.0.0.1:8080' },
      { origin: 'http://127.0.0.1' },
      { origin: 'http://localhost:7070' },
      { origin: `http://${HOST}.evil.example` },
      { origin: 'null' },
      { origin: '' },
      { origin: `file://${HOST}` },
      { origin: 'http://evil.example', 'sec-fetch-mode': 'navigate' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' },
    ]) {
      assert.equal(
        rig.place({ host: HOST, ...headers }),
        'ERR_API_ORIGIN',
        JSON.stringify(headers),
      );
    }
  });
});

describe('credentials', () => {
  it('the token as bearer or as the password of "starling" lets in', () => {
    const { auth } = new Rig();
    const bearer = asked({ headers: { authorization: `bearer ${TOKEN}` } });
    assert.equal(auth.check(bearer), 'bearer');
    assert.equal(auth.check(basic(`starling:${TOKEN}`)), 'basic');
    assert.equal(auth.check({ ...bearer, method: 'POST' }), 'bearer', 'no form sends this header');
  });

  it('anything else does not', () => {
    const refused: Asked[] = [
      asked({}),
      basic(TOKEN),
      basic(`:${TOKEN}`),
      basic(`root:${TOKEN}`),
      basic(`starling:${TOKEN} `),
      basic('starling:'),
      basic('starling'),
      asked({ headers: { authorization: '' } }),
      asked({ headers: { authorization: 'Bearer' } }),
      asked({ headers: { authorization: 'Bearer ' } }),
      asked({ headers: { authorization: TOKEN } }),
      asked({ headers: { authorization: `Digest ${TOKEN}` } }),
      asked({ headers: { authorization: `Bearer ${TOKEN.slice(1)}` } }),
      asked({ headers: { authorization: `Bearer ${TOKEN}x` } }),
      asked({ headers: { cookie: `${COOKIE}=${TOKEN}` } }),
      asked({ headers: { cookie: `${COOKIE}=` } }),
      asked({ url: `/api/v1/status?token=${TOKEN}` }),
      asked({ url: `/api/v1/status?ticket=${TOKEN}` }),
    ];
    for (const each of refused) {
      assert.equal(
        codeOf(() => new Rig().auth.check(each)),
        'ERR_API_TOKEN',
        JSON.stringify(each),
      );
    }
  });

  it('a cookie lets read; what changes something needs a header that no form can send', async () => {
    const rig = new Rig();
    const cookie = `other=1; ${await rig.cookie()}; more=2`;
    assert.equal(rig.auth.check(asked({ headers: { cookie } })), 'cookie');
    assert.equal(rig.check({ method: 'HEAD', headers: { cookie } }), undefined);
    for (const method of ['POST', 'PATCH', 'DELETE', 'PUT']) {
      assert.equal(rig.check({ method, headers: { cookie } }), 'ERR_API_CSRF', method);
      const headers = { cookie, 'x-starling-request': '1' };
      assert.equal(rig.check({ method, headers }), undefined, method);
    }
  });

  it('a cookie is out of reach of scripts and other sites, and Secure under TLS', async () => {
    const { auth } = new Rig();
    const plain = await auth.signIn({ token: TOKEN }, 'a', false);
    assert.match(
      plain,
      /^starling_session_[0-9a-f]{8}=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=\d+$/,
    );
    assert.match(await auth.signIn({ token: TOKEN }, 'a', true), /; Secure$/);
  });

  it('signing out ends a session, and a month without a request does', async () => {
    const rig = new Rig();
    const [one, two] = [await rig.cookie(), await rig.cookie()];
    assert.match(rig.auth.signOut(one), /^starling_session_[0-9a-f]{8}=; .*Max-Age=0$/);
    assert.equal(rig.check({ headers: { cookie: one } }), 'ERR_API_TOKEN');
    rig.nowMs += 29 * DAY_MS;
    assert.equal(rig.check({ headers: { cookie: two } }), undefined);
    rig.nowMs += 29 * DAY_MS;
    assert.equal(rig.check({ headers: { cookie: two } }), undefined, 'counted from the last one');
    rig.nowMs += 31 * DAY_MS;
    assert.equal(rig.check({ headers: { cookie: two } }), 'ERR_API_TOKEN');
  });

  it('a hundred browsers are signed in at most: who asked least lately goes first', async () => {
    const rig = new Rig();
    const cookies: string[] = [];
    for (let n = 0; n < 100; n += 1) cookies.push(await rig.cookie());
    assert.equal(rig.check({ headers: { cookie: cookies[0]! } }), undefined);
    await rig.cookie();
    assert.equal(rig.check({ headers: { cookie: cookies[0]! } }), undefined);
    assert.equal(rig.check({ headers: { cookie: cookies[1]! } }), 'ERR_API_TOKEN');
  });

  it('old cookies are no guesses', () => {
    const rig = new Rig();
    for (let n = 0; n < 30; n += 1) {
      assert.equal(rig.check({ headers: { cookie: `${COOKIE}=old` } }), 'ERR_API_TOKEN');
    }
    assert.equal(rig.guess(), 'ERR_API_TOKEN');
  });
});

describe('a ticket', () => {
  const WHERE = '/api/v1/torrents/x/files/0/content';

  it('lets read its path, whatever else is in the query, and no other path', () => {
    const rig = new Rig();
    const ticket = rig.auth.ticketFor(WHERE);
    assert.equal(rig.auth.check(asked({ url: `${WHERE}?ticket=${ticket}` })), 'ticket');
    assert.equal(rig.check({ url: `${WHERE}?a=1&ticket=${ticket}` }), undefined);
    assert.equal(rig.check({ method: 'HEAD', url: `${WHERE}?ticket=${ticket}` }), undefined);
    for (const url of [
      `${WHERE}/?ticket=${ticket}`,
      `/api/v1/status?ticket=${ticket}`,
      `/api/v1/status?x=${WHERE}&ticket=${ticket}`,
      `${WHERE}?xticket=${ticket}`,
    ]) {
      assert.equal(rig.check({ url }), 'ERR_API_TOKEN', url);
    }
    const post = { method: 'POST', url: `${WHERE}?ticket=${ticket}` };
    assert.equal(rig.check(post), 'ERR_API_TOKEN', 'it only reads');
  });

  it('ends after a day, and nobody makes it last longer', () => {
    const rig = new Rig();
    const ticket = rig.auth.ticketFor(WHERE);
    const [end, signature] = ticket.split('.');
    const later = (Number.parseInt(end!, 36) + DAY_MS).toString(36);
    assert.equal(rig.check({ url: `${WHERE}?ticket=${later}.${signature}` }), 'ERR_API_TOKEN');
    for (const wrong of ['', '.', 'x', `${end}.`, `.${signature}`, `${end}.${signature}x`]) {
      assert.equal(rig.check({ url: `${WHERE}?ticket=${wrong}` }), 'ERR_API_TOKEN', wrong);
    }
    rig.nowMs += DAY_MS - 1;
    assert.equal(rig.check({ url: `${WHERE}?ticket=${ticket}` }), undefined);
    rig.nowMs += 2;
    assert.equal(rig.check({ url: `${WHERE}?ticket=${ticket}` }), 'ERR_API_TOKEN');
  });

  it('of another start of the node is worth nothing', () => {
    const ticket = new Rig().auth.ticketFor(WHERE);
    assert.equal(new Rig().check({ url: `${WHERE}?ticket=${ticket}` }), 'ERR_API_TOKEN');
  });
});

describe('guessing', () => {
  it('ten wrong tokens of an address, then a minute of waiting; others are not held up', () => {
    const rig = new Rig();
    for (let n = 0; n < 10; n += 1) assert.equal(rig.guess('a'), 'ERR_API_TOKEN', String(n));
    assert.equal(rig.guess('a'), 'ERR_API_TOO_MANY_TRIES');
    assert.equal(rig.guess('b'), 'ERR_API_TOKEN');
    rig.nowMs += MINUTE_MS - 1;
    assert.equal(rig.guess('a'), 'ERR_API_TOO_MANY_TRIES');
    rig.nowMs += 1;
    assert.equal(rig.guess('a'), 'ERR_API_TOKEN');
  });

  it('tokens, passwords of Basic, tickets and passwords of the page count together', async () => {
    const rig = new Rig();
    for (let n = 0; n < 3; n += 1) {
      rig.guess();
      assert.equal(
        codeOf(() => rig.auth.check(basic('starling:no'))),
        'ERR_API_TOKEN',
      );
      assert.equal(rig.check({ url: '/x?ticket=no' }), 'ERR_API_TOKEN');
    }
    const wrong = { password: 'no' };
    const signIn = () => codeOfPromise(rig.auth.signIn(wrong, '127.0.0.1', false));
    assert.equal(await signIn(), 'ERR_API_TOKEN');
    assert.equal(await signIn(), 'ERR_API_TOO_MANY_TRIES');
    assert.equal(rig.guess(), 'ERR_API_TOO_MANY_TRIES');
  });

  it('two hundred wrong ones from all over the world hold up everybody who has no right one', () => {
    const rig = new Rig();
    for (let n = 0; n < 200; n += 1) assert.equal(rig.guess(`host-${n}`), 'ERR_API_TOKEN');
    assert.equal(rig.guess('fresh'), 'ERR_API_TOO_MANY_TRIES');
    rig.nowMs += MINUTE_MS;
    assert.equal(rig.guess('fresh'), 'ERR_API_TOKEN');
  });

  it('never holds up the right token', async () => {
    const rig = new Rig();
    for (let n = 0; n < 300; n += 1) rig.guess(`host-${n % 20}`);
    assert.equal(rig.check({ headers: { authorization: `Bearer ${TOKEN}` } }), undefined);
    assert.match(
      await rig.auth.signIn({ token: TOKEN }, 'host-1', false),
      /^starling_session_[0-9a-f]{8}=/,
    );
  });

  it('of a password: of a thousand at once ten are checked', async () => {
    const rig = new Rig();
    const tries = Array.from({ length: 1_000 }, (_, n) =>
      codeOfPromise(rig.auth.signIn({ password: n === 999 ? 'right' : `${n}` }, 'a', false)),
    );
    const codes = await Promise.all(tries);
    assert.equal(rig.passwords.length, 10);
    assert.equal(codes.at(-1), 'ERR_API_TOO_MANY_TRIES');
  });

  it('the right password after a few wrong ones begins anew', async () => {
    const rig = new Rig();
    const signIn = (password: string) => codeOfPromise(rig.auth.signIn({ password }, 'a', false));
    for (let n = 0; n < 9; n += 1) assert.equal(await signIn('no'), 'ERR_API_TOKEN');
    assert.equal(await signIn('right'), undefined);
    for (let n = 0; n < 9; n += 1) assert.equal(await signIn('no'), 'ERR_API_TOKEN');
  });
});

describe('the token of a home', () => {
  it('is made once, 256 bits, for its owner alone, and read again', () => {
    const home = mkdtempSync(path.join(tmpdir(), 'starling-auth-'));
    try {
      const { token, file } = tokenOf(home);
      assert.match(token, /^[\w-]{43}$/);
      assert.equal(readFileSync(file, 'utf8'), `${token}\n`);
      if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.deepEqual(tokenOf(home), { token, file });
      writeFileSync(file, 'short\n');
      assert.notEqual(tokenOf(home).token, 'short', 'what anybody guesses is replaced');
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
