/**
 * Build every explorer into one file: `node build.js`; `node build.js --check` builds in memory and
 * compares with the files that are committed.
 *
 * A bundle is an ES module for anywidget. Its text also stands in a page, where lines after it call
 * `bundle.mount(name)`: so its parts hang on one variable, which minifying leaves its name.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = join(here, "..", "qw2v", "explorers", "static");
const NOTICE =
  "Holds parts of d3 (ISC licence, copyright Mike Bostock): see licences.txt beside it.";

/** Name and text of a bundle. */
async function bundle(entry) {
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    charset: "utf8",
    target: "es2022",
    format: "iife",
    globalName: "bundle",
    legalComments: "none",
    banner: { js: `// Built from js/ by \`make bundles\`. ${NOTICE}` },
    footer: {
      js: "export const { render } = bundle;\nexport default { render };\nexport { bundle };",
    },
    write: false,
  });
  return [basename(entry), outputFiles[0].text];
}

/** The licences of what the bundles hold, as their packages give them. */
function licences() {
  const { packages } = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8"));
  const used = Object.keys(packages).filter((path) => path && !packages[path].dev);
  return used
    .map((path) => `${basename(path)}\n\n${readFileSync(join(here, path, "LICENSE"), "utf8")}`)
    .join("\n----\n\n");
}

const entries = readdirSync(join(here, "explorers")).map((name) => `explorers/${name}`);
const files = new Map(await Promise.all(entries.map(bundle)));
files.set("licences.txt", licences());

if (process.argv.includes("--check")) {
  const there = readdirSync(target);
  const read = (name) => readFileSync(join(target, name), "utf8");
  const stale = [...files].filter(([name, text]) => !there.includes(name) || read(name) !== text);
  const left = there.filter((name) => !files.has(name));
  for (const [name] of stale) process.stderr.write(`${name} is not what js/ builds\n`);
  for (const name of left) process.stderr.write(`${name} has no source in js/explorers\n`);
  if (stale.length + left.length) {
    process.stderr.write("Run `make bundles` and commit qw2v/explorers/static.\n");
    process.exit(1);
  }
} else {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  for (const [name, text] of files) writeFileSync(join(target, name), text);
}
