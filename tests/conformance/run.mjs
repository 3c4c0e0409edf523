// Runs the Durable Streams conformance suite against a real server on disk, and insists on every test of it.
//   node conformance/run.mjs [-t PATTERN]
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server, temporaryFolder } from '../support/server.mjs';

const expected = { passed: 332, skipped: 6, failed: 0 }; // skipped: subscriptions, which are reserved

const server = new Server({ args: ['--long-poll-timeout', '500ms'] });
await server.start();
const report = join(temporaryFolder(), 'report.json');
const args = ['vitest', 'run', '--dir', 'conformance', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const suite = spawn('npx', [...args, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, CONFORMANCE_TEST_URL: server.url, CI: '1' },
});
await new Promise((resolve) => suite.once('close', resolve));
await server.stop();

const { numPassedTests, numPendingTests, numTodoTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
const counted = { passed: numPassedTests, skipped: numPendingTests + numTodoTests, failed: numFailedTests };
const told = ({ passed, skipped, failed }) => `${passed} passed, ${skipped} skipped, ${failed} failed`;
console.log(`conformance: ${told(counted)}`);
if (process.argv.length === 2 && told(counted) !== told(expected)) {
  console.error(`conformance: wanted ${told(expected)}`);
  process.exit(1);
}
