// Runs the Durable Streams conformance suite against a real server, and insists on every test of it. The server is on disk; with
// --stores on Redis and PostgreSQL; with --edge an edge node is asked, which has joined one on disk.
//   node conformance/run.mjs [--stores | --edge] [-t PATTERN]
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNetworked } from '../support/networked.mjs';
import { Nodes } from '../support/nodes.mjs';
import { Server, temporaryFolder } from '../support/server.mjs';

const expected = { passed: 332, skipped: 6, failed: 0 }; // skipped: subscriptions, which are reserved

async function onDisk() {
  const server = await new Server({ args: ['--long-poll-timeout', '500ms'] }).start();
  return { server, stop: () => server.stop() };
}
async function onEdge() {
  const args = ['--long-poll-timeout', '500ms'];
  const nodes = await new Nodes({ edges: 1, ownerArgs: args, edgeArgs: args }).start();
  return { server: nodes.edges[0], stop: () => nodes.stop() };
}
const onStores = () => startNetworked({ gates: false, settings: { 'long-poll-timeout': '500ms' } });

const kinds = { '--stores': onStores, '--edge': onEdge };
const chosen = process.argv.slice(2).filter((arg) => !kinds[arg]);
const { server, stop } = await (kinds[process.argv.find((arg) => kinds[arg])] ?? onDisk)();
const report = join(temporaryFolder(), 'report.json');
const args = ['vitest', 'run', '--dir', 'conformance', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const suite = spawn('npx', [...args, ...chosen], {
  stdio: 'inherit',
  env: { ...process.env, CONFORMANCE_TEST_URL: server.url, CI: '1' },
});
const code = await new Promise((resolve) => suite.once('close', resolve));
await stop();

const { numPassedTests, numPendingTests, numTodoTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
const counted = { passed: numPassedTests, skipped: numPendingTests + numTodoTests, failed: numFailedTests };
const told = ({ passed, skipped, failed }) => `${passed} passed, ${skipped} skipped, ${failed} failed`;
console.log(`conformance: ${told(counted)}`);
if (chosen.length === 0 && told(counted) !== told(expected)) {
  console.error(`conformance: wanted ${told(expected)}`);
  process.exit(1);
}
if (code !== 0 || counted.failed > 0) process.exit(1); // also of a part of them
