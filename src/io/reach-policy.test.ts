import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveHost } from './dns.ts';
import {
  allowsRedirect,
  hostOf,
  isSpecialAddress,
  mayAskTracker,
  ReachPolicy,
} from './reach-policy.ts';

describe('offline', () => {
  const policy = new ReachPolicy({
    offline: true,
    given: ['198.51.100.9:80', 'http://203.0.113.4:8000/announce', 'tracker.example:80'],
    givenSubnets: ['192.0.2.5:6881', '[2001:db8:1:2::9]:6881', '0.0.0.0:6881', '[::]:1'],
  });

  test('loopback, given addresses and given subnets are allowed', () => {
    const allowed = ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '198.51.100.9'];
    allowed.push('203.0.113.4', '192.0.2.5', '192.0.2.254', '::ffff:192.0.2.7');
    allowed.push('2001:db8:1:2::9', '2001:db8:1:2:ffff::1', '0.0.0.0');
    for (const address of allowed) assert.ok(policy.allowsAddress(address), address);
  });

  test('everything else is refused', () => {
    const refused = ['198.51.100.10', '203.0.113.5', '192.0.3.1', '2001:db8:1:3::9', '8.8.8.8'];
    refused.push('0.0.0.1', '::2', 'tracker.example', '');
    for (const address of refused) assert.ok(!policy.allowsAddress(address), address);
  });

  test('of names only localhost is known, also of the given ones', () => {
    for (const host of ['localhost', 'LOCALHOST.', 'a.localhost', '[::1]', '192.0.2.1:5']) {
      assert.ok(policy.allowsHost(host), host);
    }
    for (const host of ['tracker.example', 'tracker.example:80', 'localhost.example', '8.8.8.8']) {
      assert.ok(!policy.allowsHost(host), host);
    }
  });

  test('a refusal says what and why', () => {
    assert.throws(() => policy.checkHost('tracker.example'), {
      code: 'ERR_OFFLINE',
      message:
        'offline: refused to contact tracker.example: STARLING_OFFLINE is set, so no DNS is asked; give an IP address',
    });
    assert.throws(() => policy.checkAddress('8.8.8.8'), {
      code: 'ERR_OFFLINE',
      message: /8\.8\.8\.8: STARLING_OFFLINE is set, and this is neither loopback nor/,
    });
  });

  test('no name is resolved, whatever the resolver would say', async () => {
    const resolveName = (): never => assert.fail('DNS was asked');
    await assert.rejects(resolveHost('tracker.example', policy, resolveName), {
      code: 'ERR_OFFLINE',
    });
    const local = await resolveHost('localhost', policy, resolveName);
    assert.deepEqual(
      local.map(({ address }) => address),
      ['127.0.0.1', '::1'],
    );
    const literal = await resolveHost('[::ffff:192.0.2.8]', policy, resolveName);
    assert.deepEqual(literal, [{ address: '192.0.2.8', family: 4 }]);
  });

  test('addresses can be given later', () => {
    const growing = new ReachPolicy({ offline: true });
    assert.ok(!growing.allowsAddress('192.0.2.5'));
    growing.give('192.0.2.5:1');
    assert.ok(growing.isGiven('192.0.2.5'));
    assert.ok(growing.allowsAddress('192.0.2.5'));
    assert.ok(!growing.allowsAddress('192.0.2.6'));
    growing.giveSubnet('192.0.2.5');
    assert.ok(growing.allowsAddress('192.0.2.6'));
  });
});

describe('online', () => {
  const policy = new ReachPolicy({ offline: false });

  test('addresses and names are allowed', async () => {
    assert.ok(policy.allowsAddress('8.8.8.8'));
    assert.ok(!policy.allowsAddress('no address'));
    assert.ok(policy.allowsHost('tracker.example'));
    const resolveName = async () => [{ address: '198.51.100.1', family: 4 as const }];
    assert.equal((await resolveHost('t.example', policy, resolveName)).length, 1);
  });
});

describe('forged requests', () => {
  test('a tracker on this machine is asked for /announce only', () => {
    for (const path of ['/announce', '/announce?passkey=1', '/announce/key', '/announce.php']) {
      assert.ok(mayAskTracker('127.0.0.1', path), path);
    }
    for (const path of ['', '/', '/admin', '/announcement', '/x/announce', '/ANNOUNCE']) {
      assert.ok(!mayAskTracker('127.0.0.1', path), path);
      assert.ok(!mayAskTracker('::1', path), path);
      assert.ok(mayAskTracker('198.51.100.1', path), path);
    }
  });

  test('in a private network it is the same, and where no tracker can be nothing is asked', () => {
    for (const address of ['10.0.0.1', '192.168.1.1', '172.16.0.9', 'fd00::1', '127.0.0.1']) {
      assert.ok(isSpecialAddress(address), address);
      assert.ok(mayAskTracker(address, '/announce?x=1'), address);
      assert.ok(mayAskTracker(address, '/scrape?x=1'), address);
      assert.ok(!mayAskTracker(address, '/reboot.cgi?x=1'), address);
    }
    for (const address of ['169.254.169.254', 'fe80::1', '0.0.0.0', '::', '224.0.0.1', 'a name']) {
      assert.ok(isSpecialAddress(address), address);
      assert.ok(!mayAskTracker(address, '/announce'), address);
    }
    assert.ok(!isSpecialAddress('198.51.100.1'));
  });

  test('nothing on the Internet redirects into a nearer network', () => {
    const near = ['127.0.0.1', '10.0.0.1', '192.168.0.1', '169.254.169.254', '::1', 'fd00::1'];
    for (const address of near) {
      assert.ok(!allowsRedirect('8.8.8.8', address), address);
      assert.ok(!allowsRedirect('2600::1', address), address);
      assert.ok(allowsRedirect(address, '8.8.8.8'), address);
      assert.ok(allowsRedirect(address, '127.0.0.1'), address);
    }
    assert.ok(allowsRedirect('8.8.8.8', '9.9.9.9'));
    assert.ok(!allowsRedirect('8.8.8.8', 'name.example'));
  });
});

test('the host of everything a user may write', () => {
  const cases: [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:80', '192.0.2.1'],
    ['[::1]:80', '::1'],
    ['[::1]', '::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['name.example:80', 'name.example'],
    ['http://u:p@name.example:80/path?q#f', 'name.example'],
    ['udp://[::1]:80/announce', '::1'],
  ];
  for (const [target, host] of cases) assert.equal(hostOf(target), host);
});
