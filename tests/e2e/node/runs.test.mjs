// Stims and rollouts with the published Node SDK, against a real server whose models answer slowly.
// The client reads BREAD_BASE_URL and BREAD_API_KEY itself; that user has a repo `demo`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import Bread from '@aibread/sdk';

const bread = new Bread();
const { stim, rollout } = bread.targets;

const SYSTEM = { role: 'system', content: 'You bake bread.' };
const QUESTIONS = ['What is a sourdough?', 'How long does bread keep?'];
const DEMO = { repo_name: 'demo' };

async function pages(run, limit) {
  const rows = [];
  for (let offset = 0, more = true; more; offset += limit) {
    const page = await run.getOutput('baker', { ...DEMO, limit, offset });
    assert.deepEqual([page.limit, page.offset], [limit, offset]);
    rows.push(...page.output);
    more = page.has_more;
  }
  return rows;
}

test('what is missing is told', async () => {
  await bread.targets.create('demo', { target_name: 'baker', template: 'default' });
  await assert.rejects(stim.run('baker', DEMO), (error) => {
    return error instanceof Bread.BadRequestError && error.message.includes('generators: ');
  });
  assert.equal((await stim.get('baker', DEMO)).status, 'not_started');
  await assert.rejects(stim.get('nobody', DEMO), Bread.NotFoundError);
});

test('a stim is complete in the first answer', async () => {
  await bread.prompts.create('demo', { prompt_name: 'kind', messages: [SYSTEM] });
  const generators = [{ type: 'hardcoded', questions: QUESTIONS }];
  const overrides = { teacher_prompt: 'kind', student_prompt: '', generators, num_traj_per_stimulus: 2 };
  await bread.targets.set('baker', { ...DEMO, template: 'default', overrides: { ...overrides, max_concurrency: 1 } });
  const made = await stim.run('baker', DEMO);
  assert.deepEqual([made.status, made.lines, made.progress_percent], ['complete', 2, 100]);
  assert.deepEqual(await stim.get('baker', DEMO), made);
  const rows = await pages(stim, 1);
  assert.deepEqual(rows.map((row) => row.question), QUESTIONS);
  assert.deepEqual(rows[0].unconditioned_stimulus.messages[0], SYSTEM);
});

test('a rollout is awaited, and its rows are read', async () => {
  const started = await rollout.run('baker', DEMO);
  assert.deepEqual([started.status, started.total_expected], ['running', 4]);
  let made = started;
  while (made.status === 'running') {
    await setTimeout(100);
    made = await rollout.get('baker', DEMO);
  }
  assert.deepEqual([made.status, made.lines, made.job_id], ['complete', 4, started.job_id]);
  const rows = await pages(rollout, 3);
  assert.deepEqual(rows, (await rollout.getOutput('baker', DEMO)).output);
  assert.deepEqual(rows.map((row) => row.trajectory_id), [0, 1, 0, 1]);
  assert.ok(rows.every((row) => row.response.content.includes(row.question)));
  assert.deepEqual(await rollout.run('baker', DEMO), made);
});
