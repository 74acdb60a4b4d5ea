// Proves that the committed dist/ is what src/ builds to: `node bundle.mjs` rebuilds and compares every byte;
// `node bundle.mjs --seal` only writes dist/.source-hash, so that a machine without Node can see a stale bundle too.
// The hash is that of the lines `sha256  path` of all sources, sorted by path, as sha256sum would print them.
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { build } from 'vite'

const root = import.meta.dirname
const dist = join(root, 'dist')
const seal = join(dist, '.source-hash')
const SOURCES = ['index.html', 'package-lock.json', 'package.json', 'public', 'src', 'tsconfig.json', 'vite.config.ts']

/** @param {string} path @returns {string[]} */
function filesOf(path) {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile())
}

/** @param {string | Buffer} content */
const sha256 = (content) => createHash('sha256').update(content).digest('hex')

function sourceHash() {
  const files = SOURCES.flatMap((name) => filesOf(join(root, name)))
    .map((file) => relative(root, file))
    .filter((name) => !/\.test\.tsx?$/.test(name))
    .sort()
  return sha256(files.map((name) => `${sha256(readFileSync(join(root, name)))}  ${name}\n`).join('')) + '\n'
}

/** @param {string} folder */
function contents(folder) {
  return new Map(filesOf(folder).map((file) => [relative(folder, file), sha256(readFileSync(file))]))
}

async function differences() {
  const fresh = mkdtempSync(join(tmpdir(), 'dashboard-'))
  try {
    await build({ root, logLevel: 'warn', build: { outDir: fresh, emptyOutDir: true } })
    const built = contents(fresh)
    const committed = contents(dist)
    committed.delete('.source-hash')
    const names = [...new Set([...built.keys(), ...committed.keys()])].sort()
    return names.filter((name) => built.get(name) !== committed.get(name))
  } finally {
    rmSync(fresh, { recursive: true })
  }
}

if (process.argv.includes('--seal')) {
  writeFileSync(seal, sourceHash())
} else {
  const changed = await differences()
  if (readFileSync(seal, 'utf8') !== sourceHash()) changed.push('.source-hash')
  if (changed.length > 0) {
    console.error(`static/dist is not what static/src builds to (run \`make dashboard\`): ${changed.join(', ')}`)
    process.exitCode = 1
  }
}
