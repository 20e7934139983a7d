// Draws slices and maximum intensity projections with WebGL 2, all panes on one canvas that lies beneath them: one copy of each volume
// serves all, and no picture is copied.

import { add, frameOf, scaled, sub, toMm } from "./geometry.js";
import { COLOUR_MAPS } from "./display.js";
import { make } from "./dom.js";
import { COLOURED, RAYS, SLICE, VERTEX } from "./shaders.js";
import { atOnce, unhurried } from "./steps.js";
import { Volume } from "./volume.js";

const SLAB_BYTES = 4 << 20;
const LAYERS = 3;
// how much further apart rays, and samples on them, lie in a projection that is drawn quickly
const COARSE = 3;

export class Renderer {
  constructor() {
    this.canvas = make("canvas", { class: "hv-canvas" });
    // what is drawn stays, so that only the panes that have changed are drawn again
    this.gl = this.canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, preserveDrawingBuffer: true });
    if (!this.gl) throw new Error("This browser offers no WebGL 2, which the viewer draws with.");
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.#build();
      this.onRestored?.();
    });
    this.#build();
  }

  #build() {
    const { gl } = this;
    this.floatLinear = gl.getExtension("OES_texture_float_linear");
    this.slice = program(gl, SLICE);
    this.rays = program(gl, RAYS);
    this.coloured = program(gl, COLOURED);
    this.projections = new WeakMap();
    gl.bindVertexArray(gl.createVertexArray());
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.volumes = new Map();
    this.tables = new Map(Object.entries(COLOUR_MAPS).map(([name, table]) => [name, tableTexture(gl, table)]));
    this.blank = atOnce(volumeTexture(gl, { internal: gl.R8, type: gl.UNSIGNED_BYTE, filterable: true }, [1, 1, 1], new Uint8Array(1)));
    this.#rehearse();
  }

  // A driver compiles a program at its first use, for the kind of texture that it finds: that is done while images are on their way
  #rehearse() {
    const affine = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]];
    const volume = new Volume({ id: "", kind: "spect", unit: "", dtype: "int16", shape: [2, 2, 2], affine }, new ArrayBuffer(16));
    const layer = { volume, map: "grey", lower: 0, upper: 1, opacity: 1, start: 0, rise: 0 };
    const view = { frame: frameOf("axial"), centre: [0, 0, 0], width_mm: 1, height_mm: 1, background: [0, 0, 0] };
    const place = { x: 0, y: 0, width: 1, height: 1 };
    const owner = {};
    this.drawSlice(place, view, [layer, layer, layer], true);
    this.drawProjection(owner, place, view, layer);
    this.release(owner);
    this.forget(volume);
    this.gl.flush();
  }

  /** Copy a volume to the graphics processor before its first drawing, bit by bit, so that the page answers meanwhile. */
  async bring(volume) {
    const { volumes } = this; // those of a processor that is lost meanwhile are of no use to the next
    volumes.set(volume, await unhurried(this.#copy(volume)));
  }

  *#copy(volume) {
    const { gl } = this;
    const limit = gl.getParameter(gl.MAX_3D_TEXTURE_SIZE);
    if (Math.max(...volume.grid.shape) > limit) {
      throw new RangeError(`${volume.name} has ${Math.max(...volume.grid.shape)} voxels on a side; this graphics processor takes ${limit}.`);
    }
    const format = this.#format(volume.data);
    return { texture: yield* volumeTexture(gl, format, volume.grid.shape, volume.data), filterable: format.filterable };
  }

  /** Copy a volume to the graphics processor now, unless it is there. */
  have(volume) {
    if (!this.volumes.has(volume)) this.volumes.set(volume, atOnce(this.#copy(volume)));
  }

  /** Take a volume back from the graphics processor. */
  forget(volume) {
    const { texture, blocks = null } = this.volumes.get(volume) ?? {};
    for (const one of [texture, blocks]) this.gl.deleteTexture(one ?? null);
    this.volumes.delete(volume);
  }

  // Whole numbers go as half floats, which any graphics processor interpolates: exact up to 2048, and to 0.05% beyond, enough to look at
  #format(data) {
    const { gl } = this;
    if (data instanceof Float32Array) return { internal: gl.R32F, type: gl.FLOAT, filterable: Boolean(this.floatLinear) };
    return { internal: gl.R16F, type: gl.HALF_FLOAT, filterable: true, convert: halves };
  }

  /** Give the canvas the size of its element, in device pixels; says whether that changed it and blanked all. */
  fit() {
    const { gl, canvas } = this;
    const limit = Math.min(...gl.getParameter(gl.MAX_VIEWPORT_DIMS));
    const longest = Math.max(canvas.clientWidth, canvas.clientHeight);
    const sharpness = Math.min(window.devicePixelRatio || 1, limit / longest);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((n) => Math.max(1, Math.round(n * sharpness)));
    if (canvas.width === width && canvas.height === height) return false;
    Object.assign(canvas, { width, height });
    this.sharpness = sharpness;
    return true;
  }

  /** Where an element lies on the canvas, in its pixels, from the lower left. */
  placeOf(element) {
    const [outer, inner] = [this.canvas.getBoundingClientRect(), element.getBoundingClientRect()];
    const at = (x) => Math.round(x * this.sharpness);
    const [x, right] = [at(inner.left - outer.left), at(inner.right - outer.left)];
    const [top, bottom] = [at(inner.top - outer.top), at(inner.bottom - outer.top)];
    return { x, y: this.canvas.height - bottom, width: right - x, height: bottom - top };
  }

  /**
   * Draw a slice.
   * @param place {x, y, width, height} on the canvas; @param view {frame, centre, width_mm, height_mm, background, tiles};
   * @param layers bottom first: {volume, map, lower, upper, opacity, start, rise}; @param smooth interpolate between voxels.
   */
  drawSlice(place, view, layers, smooth) {
    const { gl, slice } = this;
    this.#begin(place, slice, view);
    for (let n = 0; n < LAYERS; n += 1) {
      this.#bindVolume(slice, n, layers[n], smooth);
      this.#bindTable(slice, n, layers[n]);
      if (!layers[n]) continue;
      gl.uniformMatrix3fv(slice.at(`frame[${n}]`), false, textureFrame(layers[n].volume.grid, view));
      gl.uniform3f(slice.at(`cover[${n}]`), layers[n].opacity, layers[n].start, layers[n].rise);
      gl.uniform1i(slice.at(`side[${n}]`), view.tiles ? layers[n].side ?? 0 : 0);
    }
    this.#tile(view.tiles, place);
    gl.uniform1i(slice.at("layers"), layers.length);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  /**
   * Draw the maximum along every ray; rays are cast only when the owner's view of the volume has changed, not its colours.
   * Says whether what is drawn is coarse, as it may be where `coarse` is true.
   */
  drawProjection(owner, place, view, layer, coarse = false) {
    const { gl, coloured } = this;
    this.have(layer.volume);
    const cast = this.#cast(owner, place, view, layer, coarse);
    this.#begin(place, coloured, view);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, cast.texture);
    gl.uniform1i(coloured.at("rays"), 0);
    this.#bindTable(coloured, 0, layer);
    const { least, span } = storedRange(layer.volume);
    gl.uniform2f(coloured.at("range"), least, span);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    return cast.coarse;
  }

  #tile(tiles, { width, height }) {
    if (!tiles) return;
    const { gl, slice, sharpness } = this;
    gl.uniform1i(slice.at("mode"), tiles.mode);
    gl.uniform1f(slice.at("tile"), tiles.size * sharpness);
    gl.uniform2f(slice.at("half_size"), width / 2, height / 2);
    gl.uniform2f(slice.at("origin"), ...tiles.origin.map((n) => n * sharpness));
  }

  #begin({ x, y, width, height }, used, view) {
    const { gl } = this;
    gl.viewport(x, y, width, height);
    gl.useProgram(used.program);
    gl.uniform3fv(used.at("background"), view.background);
  }

  #bindVolume(used, n, layer, smooth) {
    const { gl } = this;
    if (layer) this.have(layer.volume);
    const { texture, filterable } = layer ? this.volumes.get(layer.volume) : { texture: this.blank };
    gl.activeTexture(gl.TEXTURE0 + n);
    gl.bindTexture(gl.TEXTURE_3D, texture);
    filterBy(gl, smooth && filterable ? gl.LINEAR : gl.NEAREST);
    gl.uniform1i(used.at(`volume${n}`), n);
  }

  #bindTable(used, n, layer) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + LAYERS + n);
    gl.bindTexture(gl.TEXTURE_2D, this.tables.get(layer?.map ?? "grey"));
    gl.uniform1i(used.at(`table${n}`), LAYERS + n);
    if (!layer) return;
    const { slope, intercept } = layer.volume;
    const width = layer.upper - layer.lower || 1e-9;
    gl.uniform2f(used.at(`window[${n}]`), slope / width, (intercept - layer.lower) / width);
  }

  // The texture of an owner's rays, cast anew where the view has changed
  #cast(owner, place, view, layer, coarse) {
    const { gl, rays } = this;
    const { grid } = layer.volume;
    const { frame, centre, width_mm, height_mm } = view;
    const key = JSON.stringify([layer.volume.mark, frame, centre, width_mm, height_mm, place.width]);
    const known = this.projections.get(owner);
    if (known?.key === key && (coarse || !known.coarse)) return known;
    const stride = coarse ? COARSE * Math.min(...layer.volume.whole.spacing) : Math.min(...grid.spacing);
    const size = [[width_mm, place.width], [height_mm, place.height]].map(([mm, most]) => Math.max(1, Math.min(most, Math.ceil(mm / stride))));
    const cast = known ?? { texture: gl.createTexture(), framebuffer: gl.createFramebuffer() };
    Object.assign(cast, { key, coarse });
    this.projections.set(owner, cast);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, cast.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, ...size, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.bindFramebuffer(gl.FRAMEBUFFER, cast.framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, cast.texture, 0);
    gl.viewport(0, 0, ...size);
    gl.useProgram(rays.program);
    this.#bindVolume(rays, 0, layer, true);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_3D, this.#blocksOf(layer.volume));
    filterBy(gl, gl.NEAREST);
    gl.uniform1i(rays.at("blocks"), 1);
    gl.uniformMatrix3fv(rays.at("frame[0]"), false, textureFrame(grid, view));
    const origin = inTexture(grid, centre);
    gl.uniform3fv(rays.at("depth"), sub(inTexture(grid, add(centre, frame.into)), origin));
    gl.uniform3f(rays.at("voxels"), grid.shape[2], grid.shape[1], grid.shape[0]);
    gl.uniform1f(rays.at("stride"), stride);
    const { least, span } = storedRange(layer.volume);
    gl.uniform1f(rays.at("least"), least);
    gl.uniform1f(rays.at("span"), span);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    return cast;
  }

  #blocksOf(volume) {
    const entry = this.volumes.get(volume);
    const { shape, largest } = volume.blocks;
    entry.blocks ??= atOnce(volumeTexture(this.gl, this.#format(largest), shape, largest));
    return entry.blocks;
  }

  /** Forget an owner's rays. */
  release(owner) {
    const cast = this.projections.get(owner);
    if (!cast) return;
    this.gl.deleteTexture(cast.texture);
    this.gl.deleteFramebuffer(cast.framebuffer);
    this.projections.delete(owner);
  }

  destroy() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.volumes.clear();
  }
}

/** A point in texture coordinates. The texture's fastest axis is the array's last. */
function inTexture(grid, point) {
  const index = toMm(grid.inverse, point);
  return [2, 1, 0].map((axis) => (index[axis] + 0.5) / grid.shape[axis]);
}

function textureFrame(grid, { frame, centre, width_mm, height_mm }) {
  const origin = inTexture(grid, centre);
  const right = sub(inTexture(grid, add(centre, scaled(frame.right, width_mm / 2))), origin);
  const up = sub(inTexture(grid, add(centre, scaled(frame.up, height_mm / 2))), origin);
  return [...right, ...up, ...origin];
}

/** Smallest stored number of a volume and the span to its largest. */
function storedRange({ blocks: { smallest, greatest } }) {
  return { least: smallest, span: greatest - smallest || 1e-9 };
}

let halfOf = null;

/** Whole numbers of 16 bits as half floats, through a table of all of them. */
function halves(whole) {
  halfOf ??= Uint16Array.from({ length: 65536 }, (_, bits) => toHalf((bits << 16) >> 16));
  const converted = new Uint16Array(whole.length);
  for (let i = 0; i < whole.length; i += 1) converted[i] = halfOf[whole[i] & 0xffff];
  return converted;
}

function toHalf(whole) {
  if (whole === 0) return 0;
  const size = Math.abs(whole);
  const exponent = 31 - Math.clz32(size);
  // 11 figures of the number, rounded; a carry to the twelfth raises the exponent by itself
  const figures = Math.round(size * 2 ** (10 - exponent));
  return (whole < 0 ? 0x8000 : 0) + ((exponent + 14) << 10) + figures;
}

function filterBy(gl, filter) {
  gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_MAG_FILTER, filter);
  gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_MIN_FILTER, filter);
}

function program(gl, fragment) {
  const made = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`The graphics processor refused a program: ${gl.getProgramInfoLog(made)}`);
  }
  const places = new Map();
  const at = (name) => places.get(name) ?? places.set(name, gl.getUniformLocation(made, name)).get(name);
  return { program: made, at };
}

// yields before each slab; another may have been bound meanwhile
function* volumeTexture(gl, { internal, type, convert }, [slices, rows, columns], data) {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_3D, texture);
  for (const wrap of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) gl.texParameteri(gl.TEXTURE_3D, wrap, gl.CLAMP_TO_EDGE);
  gl.texStorage3D(gl.TEXTURE_3D, 1, internal, columns, rows, slices);
  // slab by slab: a driver's staging copy of half a gigabyte at once is what fails on small machines
  const slab = Math.max(1, Math.floor(SLAB_BYTES / (rows * columns * data.BYTES_PER_ELEMENT)));
  for (let first = 0; first < slices; first += slab) {
    const depth = Math.min(slab, slices - first);
    const part = data.subarray(first * rows * columns, (first + depth) * rows * columns);
    yield;
    gl.bindTexture(gl.TEXTURE_3D, texture);
    gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, first, columns, rows, depth, gl.RED, type, convert ? convert(part) : part);
  }
  return texture;
}

function tableTexture(gl, table) {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, table);
  return texture;
}
