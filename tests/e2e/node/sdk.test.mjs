// Every method of the published Node SDK's repos, prompts and targets, against a real server.
// The client reads BREAD_BASE_URL and BREAD_API_KEY itself; that user has a repo `demo`.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import Bread from '@aibread/sdk';

const bread = new Bread({ maxRetries: 0 });

const SYSTEM = { role: 'system', content: 'You are terse.' };
const QUESTION = { role: 'user', content: [{ type: 'text', text: 'Why?' }] };
const TOOL = { type: 'function', function: { name: 'f' } };

const stories = {
  async repo(repo) {
    const made = await repo.create({ repo_name: 'new' });
    assert.deepEqual([made.repo_name, made.base_model], ['new', 'Qwen/Qwen3-32B']);
    assert.deepEqual(await repo.create({ repo_name: 'new', base_model: null, user_id: null }), made);
    assert.deepEqual(await repo.set({ repo_name: 'new', base_model: made.base_model }), made);
    assert.deepEqual(await repo.get('new'), made);
    assert.deepEqual(await repo.list(), { repos: ['demo', 'new'] });
    const page = await repo.list({ include_metadata: true, offset: 1, limit: null });
    const repos = [{ repo_name: 'new', base_model: made.base_model }];
    assert.deepEqual(page, { repos, offset: 1, limit: 50, has_more: false, total: 2 });
    assert.deepEqual(await repo.getTree('new'), { base_model: made.base_model, bakes: {}, edges: [] });
  },

  async prompts(prompts) {
    const terse = { prompt_name: 'terse', messages: [SYSTEM], tools: [TOOL] };
    assert.deepEqual(await prompts.create('demo', terse), terse);
    assert.deepEqual(await prompts.create('demo', terse), terse);
    assert.deepEqual(await prompts.get('terse', { repo_name: 'demo' }), terse);
    const changed = await prompts.set('terse', { repo_name: 'demo', messages: [SYSTEM, QUESTION] });
    assert.deepEqual(changed, { prompt_name: 'terse', messages: [SYSTEM, QUESTION] });
    const batch = { why: [QUESTION], wrong: [{ content: 'x' }] };
    const { created, failed } = await prompts.createBatch('demo', { prompts: batch });
    assert.deepEqual([created, Object.keys(failed)], [['why'], ['wrong']]);
    const set = await prompts.batchSet('demo', { prompts: { why: [SYSTEM, QUESTION], empty: [] } });
    assert.deepEqual([set.created, set.failed], [['why', 'empty'], {}]);
    assert.deepEqual(Object.keys(set.versions), ['why', 'empty']);
    assert.deepEqual(await prompts.list('demo'), { prompts: ['empty', 'terse', 'why'] });
  },

  async targets(targets) {
    const generators = [{ type: 'hardcoded', questions: ['Why?'] }];
    const overrides = { generators, temperature: 0.7, max_tokens: 150, extra_kwargs: { logit_bias: { 50256: -100 } } };
    const first = { target_name: 'first', template: 'default', overrides };
    const made = await targets.create('demo', first);
    assert.equal(made.target_name, 'first');
    assert.deepEqual({ ...made.config, ...overrides }, made.config);
    assert.deepEqual(await targets.create('demo', first), made);
    const read = await targets.get('first', { repo_name: 'demo' }).withResponse();
    assert.deepEqual(read.data, made);
    assert.ok(read.response.headers.get('ETag'));
    const change = { temperature: 0.2, max_tokens: null };
    const changed = await targets.set('first', { repo_name: 'demo', template: 'first', overrides: change });
    const { max_tokens, ...kept } = made.config;
    assert.deepEqual(changed.config, { ...kept, temperature: 0.2 });
    const batch = [
      { target_name: 'second', template: 'first', overrides: { temperature: 1.5 } },
      { target_name: 'third', template: 'second', overrides: null },
      { target_name: 'orphan', template: 'nope' },
    ];
    const { created, failed } = await targets.createBatch('demo', { targets: batch });
    assert.deepEqual([created, Object.keys(failed)], [['second', 'third'], ['orphan']]);
    const second = { target_name: 'second', template: 'default' };
    const set = await targets.batchSet('demo', { targets: [second] });
    assert.deepEqual([set.created, set.failed, Object.keys(set.versions)], [['second'], {}, ['second']]);
    assert.equal((await targets.get('third', { repo_name: 'demo' })).config.temperature, 1.5);
    assert.match((await targets.delete('first', { repo_name: 'demo' })).message, /'first'/);
    assert.deepEqual(await targets.list('demo'), { targets: ['second', 'third'] });
  },

  async health(health) {
    const { status, api } = await health.check();
    assert.deepEqual([status, api], ['healthy', 'bakehouse']);
  },
};

for (const [name, story] of Object.entries(stories)) {
  test(`${name}: its story calls every method`, async () => {
    const called = new Set(['constructor']);
    const noting = { get: (resource, method) => (called.add(method), resource[method].bind(resource)) };
    await story(new Proxy(bread[name], noting));
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(bread[name]));
    assert.deepEqual(methods.filter((method) => !called.has(method)), []);
  });
}

const other = { target_name: 'taken', template: 'default', overrides: { max_tokens: 1 } };
const errors = {
  NotFoundError: [
    () => bread.repo.get('nope'),
    () => bread.repo.getTree('nope'),
    () => bread.prompts.get('nope', { repo_name: 'demo' }),
    () => bread.targets.get('nope', { repo_name: 'demo' }),
    () => bread.targets.delete('nope', { repo_name: 'demo' }),
    () => bread.targets.create('demo', { target_name: 'a', template: 'nope' }),
  ],
  ConflictError: [
    () => bread.repo.create({ repo_name: 'demo', base_model: 'other' }),
    () => bread.prompts.create('demo', { prompt_name: 'taken', messages: [QUESTION] }),
    () => bread.targets.create('demo', other),
    () => bread.targets.createBatch('demo', { targets: [other] }),
  ],
  UnprocessableEntityError: [
    () => bread.repo.create({ repo_name: 'a b' }),
    () => bread.repo.list({ limit: 0 }),
    () => bread.prompts.create('demo', { prompt_name: 'a', messages: [{}] }),
    () => bread.targets.create('demo', { target_name: 'a', template: 'default', overrides: { nope: 1 } }),
  ],
  AuthenticationError: [() => bread.withOptions({ apiKey: 'wrong' }).repo.list()],
  PermissionDeniedError: [
    () => bread.repo.list({ user_id: 'somebody' }),
    () => bread.targets.list('demo', { 'X-User-Id': 'somebody' }),
  ],
};

test('a prompt and a target, for others to be in conflict with', async () => {
  await bread.prompts.create('demo', { prompt_name: 'taken', messages: [SYSTEM] });
  await bread.targets.create('demo', { target_name: 'taken', template: 'default' });
});

for (const [name, calls] of Object.entries(errors)) {
  test(name, async () => {
    for (const call of calls) {
      await assert.rejects(call(), (error) => error instanceof Bread[name], String(call));
    }
  });
}
