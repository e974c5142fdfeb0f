/**
 * Build what a page runs, one file each: `node build.js`; `node build.js --check` builds in memory
 * and compares with the files that are committed.
 *
 * An explorer becomes an ES module for anywidget. Its text also stands in a page, where a line after
 * it calls `bundle.mount(name)`: so its parts hang on one variable, which minifying leaves its name.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const explorers = "../qw2v/explorers/static";
const page = "../qw2v/static";
const site = "../static"; // of the book, which holds more than what is built
const NOTICE =
  "Holds parts of d3 (ISC licence, copyright Mike Bostock): see licences.txt beside it.";
const BUILT = "Built from js/ by `make bundles`.";

const explorer = {
  format: "iife",
  globalName: "bundle",
  banner: { js: `// ${BUILT} ${NOTICE}` },
  footer: {
    js: "export const { render } = bundle;\nexport default { render };\nexport { bundle };",
  },
};

/** The text that an entry is built into. */
async function bundle(entry, options) {
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    charset: "utf8",
    target: "es2022",
    legalComments: "none",
    write: false,
    ...options,
  });
  return outputFiles[0].text;
}

/** The licences of what the bundles hold, as their packages give them. */
function licences() {
  const { packages } = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8"));
  const used = Object.keys(packages).filter((path) => path && !packages[path].dev);
  return used
    .map((path) => `${basename(path)}\n\n${readFileSync(join(here, path, "LICENSE"), "utf8")}`)
    .join("\n----\n\n");
}

const files = new Map([[`${explorers}/licences.txt`, licences()]]);
for (const name of readdirSync(join(here, "explorers"))) {
  files.set(`${explorers}/${name}`, await bundle(`explorers/${name}`, explorer));
}
files.set(`${page}/page.js`, await bundle("page/page.js", { format: "esm" }));
for (const name of ["qw2v.js", "check.js"]) {
  const options = { format: "iife", banner: { js: `// ${BUILT}` } };
  files.set(`${site}/${name}`, await bundle(`site/${name}`, options));
}
files.set(`${page}/page.css`, await bundle("page/page.css", {}));

if (process.argv.includes("--check")) {
  const same = (path, text) => existsSync(path) && readFileSync(path, "utf8") === text;
  const wrong = [...files].filter(([name, text]) => !same(join(here, name), text));
  const there = [explorers, page].flatMap((folder) =>
    readdirSync(join(here, folder)).map((name) => `${folder}/${name}`),
  );
  const left = there.filter((name) => !files.has(name));
  for (const [name] of wrong) process.stderr.write(`${basename(name)} is not what js/ builds\n`);
  for (const name of left) process.stderr.write(`${basename(name)} has no source in js/\n`);
  if (wrong.length + left.length) {
    process.stderr.write("Run `make bundles` and commit what it writes.\n");
    process.exit(1);
  }
} else {
  for (const folder of [explorers, page]) {
    rmSync(join(here, folder), { recursive: true, force: true });
  }
  for (const [name, text] of files) {
    const path = join(here, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
