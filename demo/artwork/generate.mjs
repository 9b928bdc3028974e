// node generate.mjs FOLDER   draws every picture that ../catalogue.json names as FOLDER/<name>.svg, and writes FOLDER/plan for the renderer:
// one line for each drawing, its name and the widths it is wanted in. Same input, same bytes.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { front, detail, room, editorial } from './scenes.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];
if (!folder) {
  console.error('usage: node generate.mjs FOLDER');
  process.exit(2);
}
const read = file => JSON.parse(fs.readFileSync(path.join(here, file), 'utf8'));
const catalogue = read('../catalogue.json');
const drawings = read('drawings.json');

// How each category is staged: wall, props (behind, beside), a picture on the wall, and where the close-up looks.
const STAGE = {
  'art-prints': [{ tone: 'mist', props: ['vase', 'books'], leaves: 2 }, [.36, .5, 2.3]],
  ceramics: [{ tone: 'clay', props: ['books', 'cup'], picture: { motif: 'arches', palette: 'citrus', x: 700, y: 620, s: .5 } }, [.5, .6, 2]],
  textiles: [{ tone: 'sage', props: ['berries', 'cup'], picture: { motif: 'botanical', palette: 'moss', x: 700, y: 610, s: .5 } }, [.4, .62, 2.1]],
  notebooks: [{ tone: 'sand', props: ['tallVase', 'cup'], picture: { motif: 'contour', palette: 'ink', x: 720, y: 560, s: .42 } }, [.62, .48, 2]],
  'tea-coffee': [{ tone: 'sage', props: ['tallVase', 'cup'], leaves: 3 }, [.47, .6, 2.1]],
  lighting: [{ tone: 'plaster', props: ['berries', 'books'], picture: { motif: 'moons', palette: 'coast', x: 740, y: 600, s: .46 }, leaves: 0 }, [.45, .42, 1.9]],
  bags: [{ tone: 'plaster', props: ['vase', 'books'], leaves: 3 }, [.4, .5, 2]],
  candles: [{ tone: 'clay', props: ['tallVase', 'books'], leaves: 2 }, [.5, .6, 2]],
};

// A drawing's parameters in one of its option values; a drawing without values has one look.
const look = (drawing, value) => ({ ...drawing, o: { ...drawing.o, ...value?.o } });
const pick = (slug, index = 0) => {
  const { fn, o } = look(drawings[slug], drawings[slug].values[index]);
  return { fn, o };
};

const SCENES = {
  'scene-hero': ['hero', {
    w: 1600, h: 1160, tone: 'mist', y: .89, top: 180,
    win: { x: 150, y: 40, w: 760, h: 720, leaves: 4 },
    pictures: [{ motif: 'hills', palette: 'coast', x: .555, y: .625, s: .76 }],
    items: [
      { ...pick('pleat-lamp', 2), x: .838, d: .22, s: .92 },
      { prop: 'berries', x: .135, d: .14, s: .92 },
      { ...pick('shore-wool-throw', 0), x: .47, d: .3, s: .72 },
      { ...pick('noodle-bowl', 2), x: .705, d: .6, s: .58 },
      { ...pick('harbour-pitcher', 0), x: .285, d: .64, s: .8 },
      { ...pick('still-water-candle', 0), x: .535, d: .86, s: .5 },
    ],
  }],
  'scene-hero-tall': ['hero-tall', {
    w: 1000, h: 1180, tone: 'mist', y: .89, top: 160,
    win: { x: 60, y: 60, w: 620, h: 700, cols: 2, leaves: 3 },
    pictures: [{ motif: 'hills', palette: 'coast', x: .64, y: .62, s: .72 }],
    items: [
      { prop: 'berries', x: .16, d: .14, s: .9 },
      { ...pick('shore-wool-throw', 0), x: .66, d: .3, s: .72 },
      { ...pick('harbour-pitcher', 0), x: .345, d: .66, s: .78 },
      { ...pick('still-water-candle', 0), x: .76, d: .84, s: .5 },
    ],
  }],
  'scene-desk': ['desk', {
    w: 1600, h: 1000, tone: 'sand', y: .88,
    win: { x: 120, y: 20, w: 620, h: 620, leaves: 2 },
    pictures: [{ motif: 'contour', palette: 'ink', x: .53, y: .58, s: .56 }, { motif: 'quarters', palette: 'citrus', x: .3, y: .56, s: .42 }],
    items: [
      { ...pick('reading-cone', 1), x: .85, d: .2, s: .92 },
      { ...pick('colour-pencils-in-a-cup'), x: .67, d: .34, s: .56 },
      { ...pick('logbook-no-1', 1), x: .215, d: .42, s: .6 },
      { prop: 'books', x: .45, d: .74, s: .7 },
      { prop: 'cup', x: .6, d: .86, s: .56 },
    ],
  }],
  'scene-table': ['table', {
    w: 1600, h: 1000, tone: 'clay', y: .88,
    win: { x: 160, y: 20, w: 640, h: 640, leaves: 4 },
    lamps: [{ type: 'pendant', color: '#3f6f73', x: .6, y: .34, S: .62, on: true }],
    items: [
      { ...pick('slow-bottle-vase', 0), x: .13, d: .2, s: .82 },
      { ...pick('pour-over-set', 0), x: .3, d: .5, s: .74 },
      { ...pick('supper-bowl-set', 0), x: .6, d: .5, s: .72 },
      { ...pick('harbour-breakfast-tea'), x: .83, d: .3, s: .62 },
      { prop: 'cup', x: .43, d: .86, s: .56 },
      { ...pick('kitchen-planter', 1), x: .935, d: .7, s: .5, more: {} },
    ],
  }],
  'scene-rest': ['rest', {
    w: 1600, h: 1000, tone: 'sage', y: .9,
    win: { x: 200, y: 20, w: 660, h: 680, leaves: 3 },
    pictures: [{ motif: 'cutouts', palette: 'moss', x: .47, y: .57, s: .56 }],
    items: [
      { ...pick('palm-market-basket', 0), x: .16, d: .4, s: .8 },
      { ...pick('herringbone-blanket', 2), x: .43, d: .36, s: .74 },
      { ...pick('awning-stripe-cushion', 1), x: .68, d: .46, s: .74 },
      { ...pick('opal-globe', 0), x: .9, d: .26, s: .74 },
      { ...pick('ribbed-pillar-trio', 0), x: .3, d: .86, s: .36, bare: true },
    ],
  }],
};

// Every drawing there could be, by name. A function each, so that only what the catalogue wants is drawn.
const studio = new Map(Object.entries(SCENES).map(([name, [seed, scene]]) => [name, () => editorial(seed, scene)]));
for (const { slug, category } of catalogue.products) {
  const drawing = drawings[slug];
  if (!drawing) throw new Error(`drawings.json says nothing about ${slug}`);
  const values = drawing.values.length ? drawing.values : [{ name: '', o: {} }];
  values.forEach((value, index) => studio.set(index ? `${slug}--${value.name}` : slug, () => front(look(drawing, value), slug + value.name)));
  const [first] = values;
  const [stage, zoom] = STAGE[category];
  studio.set(`${slug}-detail`, () => detail(look(drawing, first), slug + first.name, zoom));
  studio.set(`${slug}-room`, () => room(look(drawing, first), slug, stage));
}

// What the catalogue wants: pictures stand in the home page's features, in categories and in products.
const features = catalogue.channel.features.flatMap(({ image, narrow_image }) => (narrow_image ? [image, narrow_image] : [image]));
const pictures = [...features, ...catalogue.categories.map(({ image }) => image), ...catalogue.products.flatMap(({ media }) => media)];
const plan = new Map();
for (const { file, widths } of pictures) {
  const name = file.replace('-{width}.webp', '');
  if (!studio.has(name)) throw new Error(`nothing draws ${file}`);
  plan.set(name, [...new Set([...(plan.get(name) ?? []), ...widths])].sort((a, b) => a - b));
}

fs.mkdirSync(folder, { recursive: true });
for (const name of plan.keys()) fs.writeFileSync(path.join(folder, `${name}.svg`), studio.get(name)());
fs.writeFileSync(path.join(folder, 'plan'), [...plan].map(([name, widths]) => `${name} ${widths.join(' ')}\n`).join(''));
console.log(`${plan.size} drawings`);
