// The protocol's own conformance suite, run by vitest against the server that `run.mjs` has started.
import { runConformanceTests } from '@durable-streams/server-conformance-tests';

runConformanceTests({ baseUrl: process.env.CONFORMANCE_TEST_URL, longPollTimeoutMs: 500 });
