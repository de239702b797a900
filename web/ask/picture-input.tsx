/**
 * Picture of the next question on the Ask page, for a model that reads pictures: drawn here, or a PNG file. Either becomes the
 * file's base64, which is the prompt.
 */
import { IMAGE_SIDE, PIXEL_COUNT, writePng } from "@openledger/attribution/rows/image-pixels";
import { base64Of, pixelsOf } from "@openledger/attribution/rows/row-content";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { DropFiles } from "../design/drop-files.tsx";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";

/** Width of the pen, in pixels of the picture. */
const PEN = 2.2;

interface PictureInputProps {
  /** The picture's file in base64; empty: none. */
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly isDisabled: boolean;
}

/** A black square to draw on in white, with a file beside it. */
export function PictureInput({ isDisabled, onInput, value }: PictureInputProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<{ x: number; y: number } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    if (last.current === null) show(canvas.current!, value);
  }, [value]);
  const draw = (event: PointerEvent) => {
    const { current: from } = last;
    if (from === null || isDisabled) return;
    const to = placeOf(event);
    const context = canvas.current!.getContext("2d")!;
    Object.assign(context, { strokeStyle: "#fff", lineWidth: PEN, lineCap: "round" });
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    last.current = to;
  };
  const end = () => {
    if (last.current === null) return;
    setProblem(null);
    onInput(base64Of(writePng(levelsOf(canvas.current!))));
    last.current = null;
  };
  const take = async (file: File) => {
    const base64 = base64Of(new Uint8Array(await file.arrayBuffer()));
    try {
      pixelsOf(base64);
      setProblem(null);
      onInput(base64);
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  return (
    <fieldset class="field" disabled={isDisabled}>
      <legend>Your picture</legend>
      <div class="row">
        <canvas
          ref={canvas}
          class="drawing"
          width={IMAGE_SIDE}
          height={IMAGE_SIDE}
          role="img"
          aria-label={value === "" ? "An empty drawing" : "The picture of your question"}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            last.current = placeOf(event);
            draw(event);
          }}
          onPointerMove={draw}
          onPointerUp={end}
          onPointerCancel={end}
        />
        <div class="stack-s">
          <p class="soft small">
            Draw in white on black, or choose a PNG file of {IMAGE_SIDE} × {IMAGE_SIDE} pixels.
          </p>
          <Button isSmall onClick={() => onInput("")} isDisabled={value === ""}>
            Clear
          </Button>
        </div>
      </div>
      <DropFiles
        title="A picture's file"
        help={`PNG, ${IMAGE_SIDE} × ${IMAGE_SIDE} pixels of 8 bits, without a palette.`}
        accept="image/png"
        onFiles={([file]) => void take(file!)}
      />
      {problem !== null && <ProblemNotice problem={problem} />}
    </fieldset>
  );
}

/** Place of a pointer, in pixels of the picture. */
function placeOf({ clientX, clientY, currentTarget }: PointerEvent): { x: number; y: number } {
  const { height, left, top, width } = (currentTarget as HTMLCanvasElement).getBoundingClientRect();
  return { x: ((clientX - left) * IMAGE_SIDE) / width, y: ((clientY - top) * IMAGE_SIDE) / height };
}

/** Grey levels of a drawing: it has no colours, so red is the level. */
function levelsOf(canvas: HTMLCanvasElement): Uint8Array {
  const { data } = canvas.getContext("2d")!.getImageData(0, 0, IMAGE_SIDE, IMAGE_SIDE);
  return Uint8Array.from({ length: PIXEL_COUNT }, (_, p) => data[4 * p]!);
}

function show(canvas: HTMLCanvasElement, base64: string): void {
  const image = new ImageData(IMAGE_SIDE, IMAGE_SIDE);
  const levels = base64 === "" ? new Uint8Array(PIXEL_COUNT) : pixelsOf(base64);
  for (const [p, level] of levels.entries()) image.data.set([level, level, level, 255], 4 * p);
  canvas.getContext("2d")!.putImageData(image, 0, 0);
}
