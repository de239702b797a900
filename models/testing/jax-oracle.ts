/**
 * The same models in jax-js, an independent engine with automatic derivatives: written from the published definitions,
 * on tensors by their published names. It knows nothing of our layouts.
 */
import { setFlagsFromString } from "node:v8";
import type { NamedTensor } from "../engine/files/safetensors.ts";
import type { MadeModel } from "./made-models.ts";

/** Node 20 lacks what this package takes for granted. */
function fillIn(): void {
  const globals = globalThis as { navigator?: unknown };
  globals.navigator ??= {};
  setFlagsFromString("--experimental-wasm-relaxed-simd");
  const iterator = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as Record<
    string,
    unknown
  >;
  const helpers: Record<string, unknown> = {
    *map(this: Iterable<unknown>, change: (item: unknown, i: number) => unknown) {
      let i = 0;
      for (const item of this) yield change(item, i++);
    },
    *filter(this: Iterable<unknown>, test: (item: unknown, i: number) => unknown) {
      let i = 0;
      for (const item of this) if (test(item, i++)) yield item;
    },
    toArray(this: Iterable<unknown>) {
      return [...this];
    },
    some(this: Iterable<unknown>, test: (item: unknown) => unknown) {
      for (const item of this) if (test(item)) return true;
      return false;
    },
    every(this: Iterable<unknown>, test: (item: unknown) => unknown) {
      for (const item of this) if (!test(item)) return false;
      return true;
    },
    forEach(this: Iterable<unknown>, call: (item: unknown) => void) {
      for (const item of this) call(item);
    },
    find(this: Iterable<unknown>, test: (item: unknown) => unknown) {
      for (const item of this) if (test(item)) return item;
      return undefined;
    },
    reduce(this: Iterable<unknown>, join: (sum: unknown, item: unknown) => unknown, start: unknown) {
      let sum = start;
      for (const item of this) sum = join(sum, item);
      return sum;
    },
  };
  for (const [name, helper] of Object.entries(helpers))
    if (!(name in iterator))
      Object.defineProperty(iterator, name, { value: helper, configurable: true, writable: true });
}

type Jax = typeof import("@jax-js/jax");
type Tensor = import("@jax-js/jax").numpy.Array;
type Tensors = Record<string, Tensor>;

let loaded: Promise<Jax> | undefined;

async function loadJax(): Promise<Jax> {
  loaded ??= (async () => {
    fillIn();
    const jax = await import("@jax-js/jax");
    await jax.init("wasm");
    jax.defaultDevice("wasm");
    return jax;
  })();
  return loaded;
}

/** LoRA as published: factor · B A x, with A rank × inputs and B outputs × rank, by the module's name. */
interface OracleAdapter {
  readonly factor: number;
  /** `${module}.lora_A` and `${module}.lora_B`. */
  readonly tensors: readonly NamedTensor[];
}

interface OracleResult {
  readonly logits: Float32Array;
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly adapterGradients: ReadonlyMap<string, Float32Array>;
}

interface OracleRow {
  readonly tokens: readonly number[];
  /** −1: does not count. */
  readonly targets: readonly number[];
}

export async function oracle(
  model: MadeModel,
  row: OracleRow,
  adapter: OracleAdapter,
): Promise<OracleResult> {
  const jax = await loadJax();
  const { numpy: np, tree } = jax;
  const toTensors = (tensors: readonly NamedTensor[]): Tensors =>
    Object.fromEntries(
      tensors.map(({ name, shape, values }) => [name, np.array(values, { shape: [...shape] })]),
    );
  const weights = toTensors(model.tensors);
  const low = toTensors(adapter.tensors);
  const forward = forwardOf(jax, model.config, adapter.factor, row.tokens);
  const loss = lossOf(jax, forward, row, model.config.vocab_size as number);
  const logits = (await forward(tree.ref(weights), tree.ref(low)).data()) as Float32Array;
  const [value, gradients] = jax.valueAndGrad((both: [Tensors, Tensors]) => loss(both[0], both[1]))([
    weights,
    low,
  ]) as [Tensor, [Tensors, Tensors]];
  return {
    logits,
    loss: Number((await value.data())[0]),
    gradients: await toMap(gradients[0]),
    adapterGradients: await toMap(gradients[1]),
  };
}

async function toMap(tensors: Tensors): Promise<Map<string, Float32Array>> {
  const map = new Map<string, Float32Array>();
  for (const [name, tensor] of Object.entries(tensors)) map.set(name, (await tensor.data()) as Float32Array);
  return map;
}

type Forward = (weights: Tensors, low: Tensors) => Tensor;

function lossOf(
  { nn, numpy: np }: Jax,
  forward: Forward,
  { targets }: OracleRow,
  vocabularySize: number,
): Forward {
  return (weights, low) => {
    const expected = targets.filter((target) => target >= 0).length;
    const chosen = new Float32Array(targets.length * vocabularySize);
    const counts = new Float32Array(targets.length);
    for (const [t, target] of targets.entries()) {
      if (target < 0) continue;
      chosen[t * vocabularySize + target] = 1;
      counts[t] = 1;
    }
    const logits = forward(weights, low);
    const right = logits.ref.mul(np.array(chosen, { shape: [targets.length, vocabularySize] })).sum();
    const all = nn
      .logsumexp(logits, -1)
      .mul(np.array(counts, { shape: [targets.length] }))
      .sum();
    return all.sub(right).mul(1 / expected);
  };
}

function forwardOf(
  jax: Jax,
  config: Readonly<Record<string, unknown>>,
  factor: number,
  tokens: readonly number[],
): Forward {
  const { nn, numpy: np } = jax;
  const rows = tokens.length;
  const isGpt2 = config.model_type === "gpt2";
  const number = (name: string, otherwise = Number.NaN) => (config[name] ?? otherwise) as number;
  const width = number(isGpt2 ? "n_embd" : "hidden_size");
  const heads = number(isGpt2 ? "n_head" : "num_attention_heads");
  const keyHeads = isGpt2 ? heads : number("num_key_value_heads", heads);
  const headSize = number("head_dim", width / heads);
  const layers = number(isGpt2 ? "n_layer" : "num_hidden_layers");
  const vocabularySize = number("vocab_size");
  const oneHot = new Float32Array(rows * vocabularySize);
  for (const [t, token] of tokens.entries()) oneHot[t * vocabularySize + token] = 1;
  const mask = new Float32Array(rows * rows);
  for (let t = 0; t < rows; t++) for (let j = t + 1; j < rows; j++) mask[t * rows + j] = -1e9;
  const epsilon = number(isGpt2 ? "layer_norm_epsilon" : "rms_norm_eps");

  return (weights, low) => {
    const use = (name: string): Tensor => weights[name]!.ref;
    const layerNorm = (x: Tensor, name: string): Tensor => {
      const centred = x.ref.sub(x.mean(-1, { keepdims: true }));
      const variance = centred.ref.mul(centred.ref).mean(-1, { keepdims: true });
      return centred
        .div(np.sqrt(variance.add(epsilon)))
        .mul(use(`${name}.weight`))
        .add(use(`${name}.bias`));
    };
    const rms = (x: Tensor, name: string): Tensor => {
      const square = x.ref.mul(x.ref).mean(-1, { keepdims: true });
      return x.div(np.sqrt(square.add(epsilon))).mul(use(`${name}.weight`));
    };
    const linear = (x: Tensor, name: string): Tensor => {
      const weight = isGpt2 ? use(`${name}.weight`) : np.transpose(use(`${name}.weight`));
      let out = np.matmul(x.ref, weight);
      if (weights[`${name}.bias`] !== undefined) out = out.add(use(`${name}.bias`));
      if (low[`${name}.lora_A`] !== undefined) {
        const a = np.transpose(low[`${name}.lora_A`]!.ref);
        const b = np.transpose(low[`${name}.lora_B`]!.ref);
        out = out.add(np.matmul(np.matmul(x.ref, a), b).mul(factor));
      }
      x.dispose();
      return out;
    };
    /** rows × (heads · headSize) to heads × rows × headSize. */
    const split = (x: Tensor, count: number): Tensor =>
      np.transpose(x.reshape([rows, count, headSize]), [1, 0, 2]);
    const attention = (queries: Tensor, keys: Tensor, values: Tensor): Tensor => {
      const group = (x: Tensor) => np.repeat(x, heads / keyHeads, 0);
      const scores = np.matmul(queries, np.transpose(group(keys), [0, 2, 1])).mul(1 / Math.sqrt(headSize));
      const weightsOf = nn.softmax(scores.add(np.array(mask, { shape: [1, rows, rows] })), -1);
      return np.transpose(np.matmul(weightsOf, group(values)), [1, 0, 2]).reshape([rows, heads * headSize]);
    };
    const tokensIn = np.array(oneHot, { shape: [rows, vocabularySize] });
    if (isGpt2) {
      let x = np.matmul(tokensIn, use("wte.weight")).add(use("wpe.weight").slice([0, rows]));
      for (let i = 0; i < layers; i++) {
        const at = `h.${i}`;
        const qkv = linear(layerNorm(x.ref, `${at}.ln_1`), `${at}.attn.c_attn`);
        const [q, k, v] = np.split(qkv, 3, -1) as [Tensor, Tensor, Tensor];
        const attended = attention(split(q, heads), split(k, heads), split(v, heads));
        x = x.add(linear(attended, `${at}.attn.c_proj`));
        const inner = linear(layerNorm(x.ref, `${at}.ln_2`), `${at}.mlp.c_fc`);
        const cube = inner.ref.mul(inner.ref).mul(inner.ref);
        const tanh = np.tanh(inner.ref.add(cube.mul(0.044715)).mul(Math.sqrt(2 / Math.PI)));
        x = x.add(linear(inner.mul(tanh.add(1)).mul(0.5), `${at}.mlp.c_proj`));
      }
      return np.matmul(layerNorm(x, "ln_f"), np.transpose(use("wte.weight")));
    }
    const angles = rotaryAngles(config, rows, headSize);
    const cosines = np.array(Float32Array.from(angles, Math.cos), { shape: [1, rows, headSize] });
    const sines = np.array(Float32Array.from(angles, Math.sin), { shape: [1, rows, headSize] });
    const turn = (x: Tensor): Tensor => {
      const [left, right] = np.split(x.ref, 2, -1) as [Tensor, Tensor];
      return x.mul(cosines.ref).add(np.concatenate([right.mul(-1), left], -1).mul(sines.ref));
    };
    let x = np.matmul(tokensIn, use("model.embed_tokens.weight"));
    for (let i = 0; i < layers; i++) {
      const at = `model.layers.${i}`;
      const h = rms(x.ref, `${at}.input_layernorm`);
      let q = split(linear(h.ref, `${at}.self_attn.q_proj`), heads);
      let k = split(linear(h.ref, `${at}.self_attn.k_proj`), keyHeads);
      const v = split(linear(h, `${at}.self_attn.v_proj`), keyHeads);
      if (config.model_type === "qwen3") {
        q = rms(q, `${at}.self_attn.q_norm`);
        k = rms(k, `${at}.self_attn.k_norm`);
      }
      x = x.add(linear(attention(turn(q), turn(k), v), `${at}.self_attn.o_proj`));
      const g = rms(x.ref, `${at}.post_attention_layernorm`);
      const gate = linear(g.ref, `${at}.mlp.gate_proj`);
      x = x.add(linear(nn.silu(gate).mul(linear(g, `${at}.mlp.up_proj`)), `${at}.mlp.down_proj`));
    }
    cosines.dispose();
    sines.dispose();
    const isTied = config.tie_word_embeddings === true;
    const head = use(isTied ? "model.embed_tokens.weight" : "lm_head.weight");
    return np.matmul(rms(x, "model.norm"), np.transpose(head));
  };
}

/** Angle of each position and each number of a head; Llama 3's stretching as transformers computes it. */
function rotaryAngles(config: Readonly<Record<string, unknown>>, rows: number, headSize: number): number[] {
  const theta = (config.rope_theta ?? 10_000) as number;
  const scaling = config.rope_scaling as Record<string, number> | undefined;
  return Array.from({ length: rows * headSize }, (_, at) => {
    const t = Math.floor(at / headSize);
    const j = (at % headSize) % (headSize / 2);
    let frequency = theta ** ((-2 * j) / headSize);
    if (scaling !== undefined) {
      const wavelength = (2 * Math.PI) / frequency;
      const original = scaling.original_max_position_embeddings!;
      const [low, high, factor] = [scaling.low_freq_factor!, scaling.high_freq_factor!, scaling.factor!];
      const smooth = (original / wavelength - low) / (high - low);
      if (wavelength > original / low) frequency /= factor;
      else if (wavelength >= original / high)
        frequency = ((1 - smooth) * frequency) / factor + smooth * frequency;
    }
    return t * frequency;
  });
}
