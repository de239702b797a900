/**
 * WebGPU device of the prover: adapter, buffers, compiled kernels, dispatches and errors with codes. gpu-key.ts
 * and gpu-proof.ts run on it. Sizes are bytes.
 */
import { proverError } from "../prover-errors.ts";
import { type AdapterKind, openDawn } from "./dawn-library.ts";

/** Threads of a workgroup in every kernel. 64 fills a warp or wave of all vendors and saves registers. */
export const groupSize = 64;
/** Workgroups of a dispatch's first dimension, when it needs a second one: at most 65,535 are allowed. */
const rowGroups = 32768;

/** WebGPU's numbers for GPUBufferUsage and GPUMapMode: Dawn for Node defines no globals by itself. */
const usage = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;
const mapRead = 1;

/** Access of a kernel to a buffer. */
export type Access = "read" | "write" | "uniform";

/** A compute shader with its bindings, in order. */
export interface Kernel {
  name: string;
  /** WGSL with one entry point, `main`; binding i of group 0 is the i-th buffer. */
  source: string;
  bindings: readonly Access[];
}

/** A dispatch with all that belongs to it. */
interface Step {
  name: string;
  pipeline: GPUComputePipeline;
  bindGroup: GPUBindGroup;
  groups: readonly [number, number];
}

/** A step of a run, or a buffer's first bytes to be zeroed between steps. */
export type Command = Step | { clear: GPUBuffer; byteCount: number };

/** Graphics device of the prover. Kernels are compiled once each; every buffer belongs to its maker. */
export class GpuDevice {
  readonly device: GPUDevice;
  /** Name of the adapter, from the driver. */
  readonly adapterName: string;
  /** True: the processor computes, not a graphics card. */
  readonly isSoftware: boolean;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #buffers = new Set<GPUBuffer>();
  #lost: string | null = null;
  #fault: { message: string; isMemory: boolean } | null = null;

  private constructor(device: GPUDevice, adapter: GPUAdapter) {
    this.device = device;
    const { vendor, architecture, device: model, description } = adapter.info;
    this.adapterName = [vendor, architecture, model, description].filter((part) => part !== "").join(" ");
    this.isSoftware = /swiftshader|llvmpipe|lavapipe|software/i.test(this.adapterName);
    void device.lost.then(({ message, reason }) => {
      this.#lost = message || reason;
    });
    device.onuncapturederror = ({ error }) => {
      const isMemory = error.constructor.name === "GPUOutOfMemoryError";
      this.#fault ??= { message: error.message, isMemory };
    };
  }

  /** Opens the machine's adapter. @throws RollupError PRV_GPU_UNAVAILABLE */
  static async open(kind: AdapterKind): Promise<GpuDevice> {
    const gpu = await openDawn(kind);
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (adapter === null) {
      throw proverError(
        "PRV_GPU_UNAVAILABLE",
        "there is no WebGPU adapter: install the graphics card's driver with its Vulkan part and the Vulkan " +
          "loader (Debian and Ubuntu: libvulkan1), and give this process access to the card",
        { data: { kind } },
      );
    }
    const names = [
      "maxBufferSize",
      "maxStorageBufferBindingSize",
      "maxComputeWorkgroupStorageSize",
      "maxStorageBuffersPerShaderStage",
    ] as const;
    const requiredLimits = Object.fromEntries(names.map((name) => [name, adapter.limits[name]]));
    const device = await adapter.requestDevice({ requiredLimits }).catch((cause: Error) => {
      throw proverError("PRV_GPU_UNAVAILABLE", `the adapter gives no device: ${cause.message}`, {
        data: { kind, reason: cause.message },
        cause,
      });
    });
    const opened = new GpuDevice(device, adapter);
    if (kind === "hardware" && opened.isSoftware) {
      opened.close();
      throw proverError(
        "PRV_GPU_UNAVAILABLE",
        `the only WebGPU adapter is ${opened.adapterName}, which computes on the processor`,
        { data: { kind, adapterName: opened.adapterName } },
      );
    }
    return opened;
  }

  /** Reason of the device's loss; null while it works. */
  get lostReason(): string | null {
    return this.#lost;
  }

  /**
   * Checks for errors since the last call.
   *
   * @throws RollupError PRV_GPU_LOST, PRV_GPU_UNAVAILABLE for want of memory, PRV_PROVE_FAILED for a refused command
   */
  check(): void {
    if (this.#lost !== null) {
      throw proverError("PRV_GPU_LOST", `the device ${this.adapterName} was lost: ${this.#lost}`, {
        data: { adapterName: this.adapterName, reason: this.#lost },
      });
    }
    const fault = this.#fault;
    this.#fault = null;
    if (fault === null) return;
    const { message, isMemory } = fault;
    const data = { adapterName: this.adapterName, reason: message };
    if (isMemory)
      throw proverError("PRV_GPU_UNAVAILABLE", `${this.adapterName} has no memory left: ${message}`, {
        data,
      });
    throw proverError("PRV_PROVE_FAILED", `${this.adapterName} refused a command: ${message}`, { data });
  }

  /** Makes a zeroed buffer. @throws RollupError PRV_GPU_UNAVAILABLE where it is larger than the adapter allows */
  makeBuffer(label: string, byteCount: number): GPUBuffer {
    const size = Math.max(16, Math.ceil(byteCount / 16) * 16);
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const limitBytes = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (size > limitBytes) {
      throw proverError(
        "PRV_GPU_UNAVAILABLE",
        `${this.adapterName} allows buffers of ${limitBytes} bytes, the key's ${label} needs ${size}`,
        {
          data: {
            reason: "gpu-too-small",
            adapterName: this.adapterName,
            label,
            byteCount: size,
            limitBytes,
          },
        },
      );
    }
    const buffer = this.device.createBuffer({
      label,
      size,
      usage: usage.storage | usage.copySource | usage.copyTarget,
    });
    this.#buffers.add(buffer);
    return buffer;
  }

  /** Makes a buffer of a kernel's constant parameters. */
  makeParameters(words: readonly number[]): GPUBuffer {
    const data = new Uint32Array(Math.ceil(words.length / 4) * 4);
    data.set(words);
    const size = data.byteLength;
    const buffer = this.device.createBuffer({ size, usage: usage.uniform | usage.copyTarget });
    this.#buffers.add(buffer);
    this.device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  }

  write(buffer: GPUBuffer, bytes: Uint8Array | Uint32Array, byteOffset = 0): void {
    this.device.queue.writeBuffer(
      buffer,
      byteOffset,
      bytes.buffer as ArrayBuffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
  }

  free(buffers: Iterable<GPUBuffer>): void {
    for (const buffer of buffers) {
      this.#buffers.delete(buffer);
      buffer.destroy();
    }
  }

  /** Compiles kernels side by side, for the steps to come. */
  async compile(kernels: readonly Kernel[]): Promise<void> {
    await Promise.all(kernels.map((kernel) => this.#pipeline(kernel)));
    this.check();
  }

  /** Makes a dispatch of `threadCount` threads, rounded up to whole workgroups: kernels compare with their counts. */
  async step(kernel: Kernel, buffers: readonly GPUBuffer[], threadCount: number): Promise<Step> {
    if (buffers.length !== kernel.bindings.length) throw new TypeError(`${kernel.name} binds other buffers`);
    const pipeline = await this.#pipeline(kernel);
    const bindGroup = this.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    const count = Math.max(1, Math.ceil(threadCount / groupSize));
    const groups =
      count <= rowGroups ? ([count, 1] as const) : ([rowGroups, Math.ceil(count / rowGroups)] as const);
    return { name: kernel.name, pipeline, bindGroup, groups };
  }

  /** Queues commands, one after another; each sees what those before it wrote. */
  submit(commands: readonly Command[], copies: readonly { from: GPUBuffer; to: GPUBuffer }[] = []): void {
    const encoder = this.device.createCommandEncoder();
    let pass: GPUComputePassEncoder | null = null;
    for (const command of commands) {
      if ("clear" in command) {
        pass?.end();
        pass = null;
        encoder.clearBuffer(command.clear, 0, command.byteCount);
        continue;
      }
      pass ??= encoder.beginComputePass();
      pass.setPipeline(command.pipeline);
      pass.setBindGroup(0, command.bindGroup);
      pass.dispatchWorkgroups(...command.groups);
    }
    pass?.end();
    for (const { from, to } of copies) encoder.copyBufferToBuffer(from, 0, to, 0, to.size);
    this.device.queue.submit([encoder.finish()]);
  }

  /** Makes a buffer that `submit` can copy to and `read` can read. */
  makeReadable(byteCount: number): GPUBuffer {
    const buffer = this.device.createBuffer({ size: byteCount, usage: usage.mapRead | usage.copyTarget });
    this.#buffers.add(buffer);
    return buffer;
  }

  /**
   * Reads the content, once everything that was queued before is done.
   * @throws RollupError PRV_GPU_LOST, PRV_PROVE_FAILED
   */
  async read(buffer: GPUBuffer): Promise<Uint8Array> {
    try {
      const mapped = buffer.mapAsync(mapRead);
      await (this.isSoftware ? restUntil(mapped) : mapped);
    } catch (cause) {
      await new Promise((resolve) => setImmediate(resolve)); // the loss is told after the failure
      this.check();
      throw this.#failure("hands out no results", cause as Error);
    }
    this.check();
    const bytes = new Uint8Array(buffer.getMappedRange()).slice();
    buffer.unmap();
    return bytes;
  }

  /** Ends the device and frees its buffers. An open device keeps the process alive. */
  close(): void {
    this.free([...this.#buffers]);
    this.device.destroy();
  }

  #failure(what: string, cause: Error) {
    const data = { adapterName: this.adapterName, reason: cause.message };
    return proverError("PRV_PROVE_FAILED", `${this.adapterName} ${what}: ${cause.message}`, { data, cause });
  }

  #pipeline(kernel: Kernel): Promise<GPUComputePipeline> {
    let pipeline = this.#pipelines.get(kernel.source);
    if (pipeline === undefined) {
      pipeline = this.#compile(kernel);
      this.#pipelines.set(kernel.source, pipeline);
    }
    return pipeline;
  }

  async #compile({ name, source, bindings }: Kernel): Promise<GPUComputePipeline> {
    const module = this.device.createShaderModule({ label: name, code: source });
    const types = { read: "read-only-storage", write: "storage", uniform: "uniform" } as const;
    const layout = this.device.createBindGroupLayout({
      entries: bindings.map((access, binding) => ({
        binding,
        visibility: 4,
        buffer: { type: types[access] },
      })),
    });
    const descriptor = {
      label: name,
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    };
    // SwiftShader compiles on the processor, which Dawn's waiting for an answer would share.
    if (this.isSoftware) return this.device.createComputePipeline(descriptor);
    return this.device.createComputePipelineAsync(descriptor).catch((cause: Error) => {
      throw this.#failure(`refuses the kernel "${name}"`, cause);
    });
  }
}

/**
 * Rests until the promise settles. While a promise of Dawn's is open, Dawn polls it in every turn of the
 * event loop, without a pause. SwiftShader needs that processor for itself: a turn here takes two
 * milliseconds.
 */
async function restUntil(promise: Promise<unknown>): Promise<void> {
  const never = new Int32Array(new SharedArrayBuffer(4));
  let isDone = false;
  const rest = () => {
    if (isDone) return;
    Atomics.wait(never, 0, 0, 2);
    setImmediate(rest);
  };
  setImmediate(rest);
  try {
    await promise;
  } finally {
    isDone = true;
  }
}
