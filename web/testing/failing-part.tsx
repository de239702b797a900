/** Entry of a page with a part that fails to draw until it is mended, for part.all.test.ts. */
import "../no-eval.ts";
import { render } from "preact";
import { Part } from "../words/part.tsx";

let isBroken = true;

function Row() {
  if (isBroken) throw new Error("a row that cannot be drawn");
  return <p>the row</p>;
}

render(
  <main>
    <h1>the page</h1>
    <Part>
      <Row />
    </Part>
    <p>the rest</p>
  </main>,
  document.body,
);

function mend(): void {
  isBroken = false;
}

Object.assign(globalThis, { mend });
