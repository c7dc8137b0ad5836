//! Draws egui's triangles without a GPU, so that pictures can be taken on any machine.

use std::collections::BTreeMap;

use egui::{
    Color32, Context, FullOutput, TextureId, TexturesDelta,
    epaint::{ClippedPrimitive, ImageData, Mesh, Primitive, Vertex},
};
use egui_kittest::TestRenderer;
use image::{Rgba, RgbaImage};

/// A renderer for `egui_kittest` that needs nothing but the processor.
#[derive(Default)]
pub(super) struct SoftwareRenderer {
    textures: BTreeMap<TextureId, egui::ColorImage>,
}

impl TestRenderer for SoftwareRenderer {
    #[expect(clippy::iter_over_hash_type, reason = "each texture is changed for itself")]
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        for (id, patches) in std::mem::take(&mut delta.set) {
            for patch in patches {
                let ImageData::Color(image) = &patch.image;
                match patch.pos {
                    None => drop(self.textures.insert(id, (**image).clone())),
                    Some(corner) => {
                        put(self.textures.get_mut(&id).expect("a patch has a texture"), image, corner);
                    }
                }
            }
        }
        for id in delta.free.drain() {
            self.textures.remove(&id);
        }
    }

    fn render(&mut self, ctx: &Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let scale = ctx.pixels_per_point();
        let size = ctx.content_rect().size() * scale;
        let mut picture =
            RgbaImage::from_pixel(size.x.round() as u32, size.y.round() as u32, Rgba([0, 0, 0, 255]));
        for ClippedPrimitive { clip_rect, primitive } in ctx.tessellate(output.shapes.clone(), scale) {
            let Primitive::Mesh(mesh) = primitive else {
                return Err("paint callbacks cannot be drawn".to_owned());
            };
            let texture = self.textures.get(&mesh.texture_id).ok_or("a mesh without its texture")?;
            let clip = clip_rect * scale;
            draw(&mut picture, &mesh, texture, (clip, scale));
        }
        Ok(picture)
    }
}

/// Puts a patch into a texture.
fn put(texture: &mut egui::ColorImage, patch: &egui::ColorImage, [left, top]: [usize; 2]) {
    for y in 0..patch.height() {
        for x in 0..patch.width() {
            texture[(left + x, top + y)] = patch[(x, y)];
        }
    }
}

fn draw(picture: &mut RgbaImage, mesh: &Mesh, texture: &egui::ColorImage, (clip, scale): (egui::Rect, f32)) {
    for corners in mesh.indices.chunks_exact(3) {
        let [a, b, c] = [0, 1, 2].map(|corner| mesh.vertices[corners[corner] as usize]);
        triangle(picture, [a, b, c], texture, (clip, scale));
    }
}

fn triangle(
    picture: &mut RgbaImage,
    corners: [Vertex; 3],
    texture: &egui::ColorImage,
    (clip, scale): (egui::Rect, f32),
) {
    let points = corners.map(|corner| corner.pos * scale);
    let bounds = egui::Rect::from_points(&points).intersect(clip);
    let area = edge(points[0], points[1], points[2]);
    if area == 0.0 || !bounds.is_positive() {
        return;
    }
    let (right, bottom) = (picture.width() as f32, picture.height() as f32);
    // Most of a picture are plain grounds: one colour for all of a triangle.
    let is_plain =
        corners.iter().all(|corner| corner.uv == corners[0].uv && corner.color == corners[0].color);
    let plain = is_plain.then(|| shade(corners, [1.0, 0.0, 0.0], texture));
    for y in bounds.top().max(0.0) as u32..bounds.bottom().ceil().min(bottom) as u32 {
        for x in bounds.left().max(0.0) as u32..bounds.right().ceil().min(right) as u32 {
            let pos = egui::pos2(x as f32 + 0.5, y as f32 + 0.5);
            if !clip.contains(pos) {
                continue;
            }
            let shares =
                [(1, 2), (2, 0), (0, 1)].map(|(from, to)| edge(points[from], points[to], pos) / area);
            // A pixel on the common side of two triangles belongs to one of them only.
            let inside = [(1, 2), (2, 0), (0, 1)].iter().zip(shares).all(|((from, to), share)| {
                let side = (points[*to] - points[*from]) * area.signum();
                share > 0.0 || (share == 0.0 && (side.y < 0.0 || (side.y == 0.0 && side.x > 0.0)))
            });
            if inside {
                blend(picture.get_pixel_mut(x, y), plain.unwrap_or_else(|| shade(corners, shares, texture)));
            }
        }
    }
}

fn edge(from: egui::Pos2, to: egui::Pos2, pos: egui::Pos2) -> f32 {
    (to.x - from.x) * (pos.y - from.y) - (to.y - from.y) * (pos.x - from.x)
}

/// The premultiplied colour at a point given by its shares of the three corners, each channel 0 to 255.
fn shade(corners: [Vertex; 3], shares: [f32; 3], texture: &egui::ColorImage) -> [f32; 4] {
    let mix = |pick: fn(&Vertex) -> f32| {
        corners.iter().zip(shares).map(|(corner, share)| pick(corner) * share).sum::<f32>()
    };
    let texel = sample(texture, mix(|corner| corner.uv.x), mix(|corner| corner.uv.y));
    let channels: [fn(&Vertex) -> f32; 4] = [
        |corner| f32::from(corner.color.r()),
        |corner| f32::from(corner.color.g()),
        |corner| f32::from(corner.color.b()),
        |corner| f32::from(corner.color.a()),
    ];
    std::array::from_fn(|channel| mix(channels[channel]) * texel[channel] / 255.0)
}

/// Bilinear, clamped to the edge.
fn sample(texture: &egui::ColorImage, u: f32, v: f32) -> [f32; 4] {
    let (x, y) = (u * texture.width() as f32 - 0.5, v * texture.height() as f32 - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let texel = |x: f32, y: f32| {
        let x = x.clamp(0.0, texture.width() as f32 - 1.0) as usize;
        let y = y.clamp(0.0, texture.height() as f32 - 1.0) as usize;
        texture[(x, y)]
    };
    let mix = |pick: fn(Color32) -> u8| {
        let at = |dx: f32, dy: f32| f32::from(pick(texel(left + dx, top + dy)));
        let upper = at(0.0, 0.0) + (at(1.0, 0.0) - at(0.0, 0.0)) * (x - left);
        let lower = at(0.0, 1.0) + (at(1.0, 1.0) - at(0.0, 1.0)) * (x - left);
        upper + (lower - upper) * (y - top)
    };
    [mix(|c| c.r()), mix(|c| c.g()), mix(|c| c.b()), mix(|c| c.a())]
}

fn blend(pixel: &mut Rgba<u8>, colour: [f32; 4]) {
    let rest = 1.0 - colour[3] / 255.0;
    for (channel, value) in pixel.0.iter_mut().zip(colour).take(3) {
        *channel = (f32::from(*channel) * rest + value).round().clamp(0.0, 255.0) as u8;
    }
}
