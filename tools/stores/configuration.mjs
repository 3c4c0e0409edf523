// A configuration of Segue for the stores that run in FOLDER, as tenant alpha of each: node configuration.mjs FOLDER > segue.json
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/// What `segue serve --config` reads. Finished pieces are archived, and their chunks go soon, so that there is something to see.
export function configurationFor({ postgres, redis, radosgw }, tenant = 'alpha') {
  const { accessKey, secretKey, bucket } = radosgw.tenants[tenant];
  const { url, prefix } = redis.tenants[tenant];
  const credentials = [accessKey, secretKey].map(encodeURIComponent).join(':');
  return {
    'chunk-store': `${url}?prefix=${prefix}log:`,
    cache: `${url}?prefix=${prefix}cache:`,
    catalogue: postgres.tenants[tenant].url,
    objects: `s3://${credentials}@${bucket}/pieces?endpoint=${radosgw.endpoint}`,
    policy: 'archive',
    'archive-after': '1m',
    transfers: 'elsewhere',
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const folder = process.argv[2];
  if (!folder) {
    console.error('usage: node tools/stores/configuration.mjs FOLDER   prints a configuration for the stores that run there');
    process.exit(2);
  }
  const file = join(folder, 'stores.json');
  try {
    const stores = JSON.parse(readFileSync(file, 'utf8'));
    process.stdout.write(`${JSON.stringify(configurationFor(stores), null, 2)}\n`);
  } catch (error) {
    const missing = error.code === 'ENOENT';
    console.error(missing ? `${file} is missing: no stores run there` : `${file} cannot be read: ${error.message}`);
    process.exitCode = 1;
  }
}
