import type { VNode } from "preact";
import { expect, it } from "vitest";
import { Markdown } from "./markdown.tsx";

/** Renders a node as HTML, without attributes other than addresses. */
function shown(node: unknown): string {
  if (node == null || typeof node === "boolean") return "";
  if (Array.isArray(node)) return node.map(shown).join("");
  if (typeof node !== "object") return String(node).replaceAll("<", "&lt;");
  const { type, props } = node as VNode<{ children?: unknown; href?: string }>;
  if (typeof type === "function") return shown((type as (input: unknown) => unknown)(props));
  const href = props.href === undefined ? "" : ` href="${props.href}"`;
  return `<${String(type)}${href}>${shown(props.children)}</${String(type)}>`;
}
const html = (text: string) => shown(Markdown({ text }));

it("shows headings, lists, code and emphasis", () => {
  expect(html("# Whales\n\n- **big**\n- `old`\n\n```\nx < 1\n```")).toBe(
    "<div><p><strong>Whales</strong></p><ul><li><strong>big</strong></li><li><code>old</code></li></ul><pre><code>x &lt; 1</code></pre></div>",
  );
});

it("lets an answer bring no HTML, no picture, and no address but https", () => {
  expect(html("<img src=x onerror=alert(1)>")).toBe("<div><p>&lt;img src=x onerror=alert(1)></p></div>");
  expect(html("a <b onclick=x>c</b>")).toBe("<div><p>a &lt;b onclick=x>c&lt;/b></p></div>");
  expect(html("![pixel](https://evil.example/x.png)")).toBe(
    "<div><p>![pixel](https://evil.example/x.png)</p></div>",
  );
  expect(html("[go](javascript:alert(1)) [on](data:text/html,x)")).toBe("<div><p>go on</p></div>");
  expect(html("[go](https://example.org)")).toBe('<div><p><a href="https://example.org">go</a></p></div>');
});
