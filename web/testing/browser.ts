/** Chromium for tests: from the package, unpacked once into the cache; and pages that report what they must not do. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";
import { archiveVersion, readPackageArchive, readTar } from "@openledger/foundation/archives/package-archive";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));

/** Chromium's program, unpacked once. Two tests at a time unpack it each for itself; one of them is taken. */
async function chromiumPath(): Promise<string> {
  const name = "@sparticuz/chromium";
  const folder = join(repositoryRoot, ".cache", "chromium", archiveVersion(name));
  const path = join(folder, "chromium");
  if (existsSync(path)) return path;
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  const files = readPackageArchive(name);
  const unpack = promisify(brotliDecompress);
  writeFileSync(join(draft, "chromium"), await unpack(files.get("bin/chromium.br")!), { mode: 0o700 });
  for (const archive of ["fonts", "swiftshader"]) {
    const tar = readTar(await unpack(files.get(`bin/${archive}.tar.br`)!));
    for (const [file, content] of tar) {
      mkdirSync(dirname(join(draft, file)), { recursive: true });
      writeFileSync(join(draft, file), content, { mode: 0o755 });
    }
  }
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(path)) throw error;
  }
  return path;
}

/**
 * Opens Chromium with its usual safeguards. Only the sandbox is off, which containers do not have.
 * @param more arguments of its command line
 */
export async function openBrowser(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: await chromiumPath(),
    args: ["--no-sandbox", "--headless=shell", "--disable-gpu", "--hide-scrollbars", ...more],
    timeout: 120_000,
  });
}

export interface Looks {
  readonly colorScheme?: "light" | "dark";
  readonly width?: number;
}

/** Opens a browser profile of its own; `misdeeds` collects what its pages must not do. */
export async function openProfile(
  browser: Browser,
  { colorScheme = "light", width = 1180 }: Looks = {},
): Promise<{ context: BrowserContext; misdeeds: string[] }> {
  const context = await browser.newContext({
    colorScheme,
    reducedMotion: "reduce",
    // A bare container's own language is no language tag.
    locale: "en-GB",
    viewport: { width, height: width < 500 ? 780 : 860 },
    permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(120_000);
  // An answer that a test alters may be under way at its end: what becomes of it then is nobody's failure.
  const close = context.close.bind(context);
  context.close = async (options) => {
    for (const page of context.pages()) await page.unrouteAll({ behavior: "ignoreErrors" });
    await close(options);
  };
  const misdeeds: string[] = [];
  // tsx, which runs commands, names functions by a helper that a page does not have.
  await context.addInitScript("globalThis.__name = (value) => value");
  await context.exposeBinding("reportViolation", (_source, text: string) => void misdeeds.push(text));
  await context.addInitScript(() => {
    const page = globalThis as unknown as PageGlobals;
    page.document.addEventListener(
      "securitypolicyviolation",
      ({ violatedDirective, blockedURI, sourceFile }) => {
        const report = (globalThis as unknown as { reportViolation(text: string): void }).reportViolation;
        report(`Content-Security-Policy: ${violatedDirective} ${blockedURI} ${sourceFile}`);
      },
    );
  });
  context.on("weberror", (error) => misdeeds.push(`uncaught: ${error.error().stack}`));
  context.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) {
      misdeeds.push(`console: ${message.text()}`);
    }
  });
  return { context, misdeeds };
}

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/**
 * Serious and critical findings of axe-core, as "rule: element". It is injected past the page's policy, by the
 * debugger.
 */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(axePath, "utf8"));
  return page.evaluate(async () => {
    const { axe, document } = globalThis as unknown as PageGlobals & { axe: Axe };
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
      );
  });
}

/** Globals of a page that are used here. Benchmarks are compiled without a browser's types. */
interface PageGlobals {
  readonly document: {
    addEventListener(
      name: "securitypolicyviolation",
      listener: (violation: { violatedDirective: string; blockedURI: string; sourceFile: string }) => void,
    ): void;
  };
  scrollTo(x: number, y: number): void;
}

interface Axe {
  run(
    root: object,
    options: object,
  ): Promise<{
    violations: {
      id: string;
      impact: string;
      nodes: { target: string[]; failureSummary: string }[];
    }[];
  }>;
}

/** A screenshot of the whole page under `.openledger/pictures`: looked at by people, compared by nobody. */
export async function pictureOf(page: Page, name: string): Promise<void> {
  const folder = join(repositoryRoot, ".openledger", "pictures");
  mkdirSync(folder, { recursive: true });
  await page.evaluate(() => (globalThis as unknown as PageGlobals).scrollTo(0, 0));
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
