// What runs on the graphics processor. Texture coordinates run 0 … 1 from outer face to outer face of a volume, so that voxel i of n
// has its centre at (i + ½) / n.

/** Voxels on a side of a block whose largest number is known. */
export const BLOCK = 8;

export const VERTEX = `#version 300 es
const vec2 corners[4] = vec2[4](vec2(-1, -1), vec2(1, -1), vec2(-1, 1), vec2(1, 1));
out vec2 at;
void main() { at = corners[gl_VertexID]; gl_Position = vec4(at, 0, 1); }`;

const COMMON = `#version 300 es
precision highp float;
precision highp sampler3D;
in vec2 at;
out vec4 colour;
uniform vec3 background;
bool outside(vec3 p) { return any(lessThan(p, vec3(0))) || any(greaterThan(p, vec3(1))); }
vec3 seen(sampler2D table, float x) { return texture(table, vec2((clamp(x, 0.0, 1.0) * 255.0 + 0.5) / 256.0, 0.5)).rgb; }
`;

// frame: columns right, up and centre of the picture in texture coordinates. window: stored number → 0 … 1 of the window.
// side: 0 for a layer that is everywhere, 1 and 2 for those that are compared, in tiles (mode 1) or left and right of a place (mode 2).
// cover: opacity; the place in the window where it starts; the width over which it rises from 0. A width of 0 covers all.
export const SLICE = `${COMMON}
uniform int layers;
uniform sampler3D volume0, volume1, volume2;
uniform sampler2D table0, table1, table2;
uniform mat3 frame[3];
uniform vec2 window[3];
uniform vec3 cover[3];
uniform int side[3];
uniform vec2 half_size, origin;
uniform float tile;
uniform int mode;
int here() {
  vec2 p = at * half_size - origin;
  if (mode == 2) return p.x < 0.0 ? 1 : 2;
  vec2 t = floor(p / tile);
  return mod(t.x + t.y, 2.0) < 0.5 ? 1 : 2;
}
void lay(sampler3D volume, sampler2D table, int n) {
  vec3 p = frame[n] * vec3(at, 1);
  if (n >= layers || outside(p) || (side[n] != 0 && side[n] != here())) return;
  float x = texture(volume, p).r * window[n].x + window[n].y;
  float rise = cover[n].z > 0.0 ? clamp((x - cover[n].y) / cover[n].z, 0.0, 1.0) : 1.0;
  colour.rgb = mix(colour.rgb, seen(table, x), cover[n].x * rise);
}
void main() {
  colour = vec4(background, 1);
  lay(volume0, table0, 0);
  lay(volume1, table1, 1);
  lay(volume2, table2, 2);
}`;

// The largest stored number along each ray, as two bytes of its place between `least` and `least + span`. Blocks of voxels whose largest
// number is no larger than what the ray has met are leapt over. depth: one mm away from the viewer in texture coordinates; stride: mm
// between samples; voxels: of the volume along its texture's axes.
export const RAYS = `${COMMON}
uniform sampler3D volume0, blocks;
uniform mat3 frame[1];
uniform vec3 depth, voxels;
uniform float stride, least, span;
const float SIDE = ${BLOCK}.0;
void main() {
  vec3 start = frame[0] * vec3(at, 1);
  vec3 way = mix(depth, vec3(1e-12), lessThan(abs(depth), vec3(1e-12)));
  vec3 a = -start / way, b = (1.0 - start) / way;
  vec3 enter = min(a, b), leave = max(a, b);
  float first = max(enter.x, max(enter.y, enter.z)), last = min(leave.x, min(leave.y, leave.z));
  colour = vec4(0, 0, last > first ? 1 : 0, 1);
  float best = least;
  float n = 0.5;
  for (int i = 0; i < 8192; i++) {
    float t = first + n * stride;
    if (t > last) break;
    vec3 p = start + way * t;
    vec3 cell = floor(p * voxels / SIDE);
    if (texelFetch(blocks, ivec3(clamp(cell, vec3(0), vec3(textureSize(blocks, 0) - 1))), 0).r > best) {
      best = max(best, texture(volume0, p).r);
      n += 1.0;
    } else {
      vec3 wall = ((cell + step(0.0, way)) * SIDE / voxels - start) / way;
      n = max(n + 1.0, ceil((min(wall.x, min(wall.y, wall.z)) - first) / stride - 0.5) + 0.5);
    }
  }
  float level = floor(clamp((best - least) / span, 0.0, 1.0) * 65535.0 + 0.5);
  colour.rg = vec2(floor(level / 256.0), mod(level, 256.0)) / 255.0;
}`;

// A picture of rays in colours, smooth between rays
export const COLOURED = `${COMMON}
uniform sampler2D rays, table0;
uniform vec2 window[1];
uniform vec2 range;
vec2 ray(ivec2 place) {
  vec4 c = texelFetch(rays, clamp(place, ivec2(0), textureSize(rays, 0) - 1), 0);
  return vec2(range.x + range.y * (c.r * 255.0 * 256.0 + c.g * 255.0) / 65535.0, c.b);
}
void main() {
  vec2 place = (at * 0.5 + 0.5) * vec2(textureSize(rays, 0)) - 0.5;
  ivec2 corner = ivec2(floor(place));
  vec2 share = fract(place);
  vec2 low = mix(ray(corner), ray(corner + ivec2(1, 0)), share.x);
  vec2 high = mix(ray(corner + ivec2(0, 1)), ray(corner + ivec2(1, 1)), share.x);
  vec2 found = mix(low, high, share.y);
  colour = vec4(mix(background, seen(table0, found.x * window[0].x + window[0].y), found.y), 1);
}`;
