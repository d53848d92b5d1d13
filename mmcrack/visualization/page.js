'use strict';
(() => {
  const all = (root, what) => [...root.querySelectorAll(what)];

  // Tables: a click on a title sorts by that column, unknown values last.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.v ?? cell.textContent.trim();
    const number = text === '' ? NaN : Number(text);
    return Number.isNaN(number) && !('v' in cell.dataset) ? text : number;
  };
  const compare = (a, b, sign) => {
    const unknown = Number.isNaN(a) - Number.isNaN(b);
    if (unknown || Number.isNaN(a)) return unknown;
    return sign * (typeof a === 'number' && typeof b === 'number'
      ? a - b : String(a).localeCompare(String(b), undefined,
        {numeric: true}));
  };
  for (const table of all(document, 'table.sortable')) {
    all(table, 'thead button').forEach((button) => {
      const title = button.closest('th');
      button.addEventListener('click', () => {
        const up = title.getAttribute('aria-sort') === 'descending';
        all(table, 'th[aria-sort]').forEach(
          (other) => other.removeAttribute('aria-sort'));
        title.setAttribute('aria-sort', up ? 'ascending' : 'descending');
        const body = table.tBodies[0];
        const rows = [...body.rows].map(
          (row) => [valueOf(row, title.cellIndex), row]);
        rows.sort((a, b) => compare(a[0], b[0], up ? 1 : -1));
        body.append(...rows.map((pair) => pair[1]));
      });
    });
  }

  // Viewers: those of one group move together.
  const MOST = 32;
  const groups = new Map();

  class Viewer {
    constructor(figure) {
      this.figure = figure;
      this.stage = figure.querySelector('.stage');
      this.layers = figure.querySelector('.layers');
      const key = figure.dataset.group || figure;
      if (!groups.has(key)) {
        groups.set(key, {scale: 1, x: 0, y: 0, viewers: []});
      }
      this.view = groups.get(key);
      this.view.viewers.push(this);
      this.pointers = new Map();
      this.listen();
    }

    // Place of an event, as a share of the stage.
    place(event) {
      const box = this.stage.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width,
        (event.clientY - box.top) / box.height];
    }

    zoom(factor, [px, py] = [0.5, 0.5]) {
      const view = this.view;
      const scale = Math.min(MOST, Math.max(1, view.scale * factor));
      view.x = px - (px - view.x) * scale / view.scale;
      view.y = py - (py - view.y) * scale / view.scale;
      view.scale = scale;
      this.show();
    }

    move(dx, dy) {
      this.view.x += dx;
      this.view.y += dy;
      this.show();
    }

    reset() {
      Object.assign(this.view, {scale: 1, x: 0, y: 0});
      this.show();
    }

    show() {
      const view = this.view;
      const inside = (v) => Math.min(0, Math.max(1 - view.scale, v));
      view.x = inside(view.x);
      view.y = inside(view.y);
      for (const {layers, stage} of view.viewers) {
        layers.style.transform = `translate(${100 * view.x}%,${
          100 * view.y}%) scale(${view.scale})`;
        layers.classList.toggle('sharp', view.scale >= 4);
        stage.classList.toggle('zoomed', view.scale > 1);
      }
    }

    enlarge(wanted) {
      this.figure.classList.toggle('big', wanted);
      const button = this.figure.querySelector('[data-do=big]');
      button.setAttribute('aria-pressed',
        String(this.figure.classList.contains('big')));
    }

    act(name) {
      const actions = {
        in: () => this.zoom(1.6), out: () => this.zoom(1 / 1.6),
        reset: () => this.reset(), big: () => this.enlarge(),
      };
      actions[name]();
    }

    pinch(event) {
      const before = [...this.pointers.values()];
      this.pointers.set(event.pointerId, this.place(event));
      const after = [...this.pointers.values()];
      if (after.length === 1) {
        if (this.view.scale > 1) {
          this.move(after[0][0] - before[0][0], after[0][1] - before[0][1]);
        }
        return;
      }
      const span = (p) => Math.hypot(
        (p[0][0] - p[1][0]) * this.stage.clientWidth,
        (p[0][1] - p[1][1]) * this.stage.clientHeight);
      const middle = (p) => [(p[0][0] + p[1][0]) / 2,
        (p[0][1] + p[1][1]) / 2];
      const [a, b] = [middle(before), middle(after)];
      this.move(b[0] - a[0], b[1] - a[1]);
      this.zoom(span(after) / Math.max(span(before), 1), b);
    }

    listen() {
      const stage = this.stage;
      stage.addEventListener('pointerdown', (event) => {
        if (event.pointerType === 'mouse' && event.button) return;
        this.pointers.set(event.pointerId, this.place(event));
        if (this.view.scale > 1 || this.pointers.size > 1) {
          stage.setPointerCapture(event.pointerId);
        }
      });
      stage.addEventListener('pointermove', (event) => {
        if (this.pointers.has(event.pointerId)) this.pinch(event);
      });
      for (const name of ['pointerup', 'pointercancel', 'pointerleave']) {
        stage.addEventListener(name, (event) => {
          this.pointers.delete(event.pointerId);
        });
      }
      // Two fingers are the picture's, one finger scrolls the page.
      for (const name of ['touchstart', 'touchmove']) {
        stage.addEventListener(name, (event) => {
          if (event.touches.length > 1) event.preventDefault();
        }, {passive: false});
      }
      stage.addEventListener('dblclick', (event) => {
        if (this.view.scale > 1) this.reset();
        else this.zoom(3, this.place(event));
      });
      // The wheel scrolls the page until the picture has been chosen.
      stage.addEventListener('wheel', (event) => {
        if (!event.ctrlKey && document.activeElement !== stage) return;
        event.preventDefault();
        this.zoom(Math.exp(-event.deltaY / 300), this.place(event));
      }, {passive: false});
      stage.addEventListener('keydown', (event) => {
        const step = 0.15;
        const keys = {
          '+': () => this.zoom(1.6), '=': () => this.zoom(1.6),
          '-': () => this.zoom(1 / 1.6), 0: () => this.reset(),
          ArrowLeft: () => this.move(step, 0),
          ArrowRight: () => this.move(-step, 0),
          ArrowUp: () => this.move(0, step),
          ArrowDown: () => this.move(0, -step),
        };
        if (!(event.key in keys) || event.ctrlKey || event.metaKey) return;
        if (event.key.startsWith('Arrow') && this.view.scale === 1) return;
        event.preventDefault();
        keys[event.key]();
      });
      this.figure.addEventListener('keydown', (event) => {
        if (event.key === 'Escape') this.enlarge(false);
      });
      for (const button of all(this.figure, 'button[data-do]')) {
        button.addEventListener('click', () => this.act(button.dataset.do));
      }
      for (const box of all(this.figure, 'input[data-layer]')) {
        const apply = () => all(this.layers, 'img').forEach((img) => {
          if (img.dataset.layer === box.dataset.layer) {
            img.hidden = !box.checked;
          }
        });
        box.addEventListener('change', apply);
        apply();
      }
    }
  }
  all(document, 'figure.viewer').forEach((figure) => new Viewer(figure));

  // On paper everything that is folded is shown.
  let folded = [];
  addEventListener('beforeprint', () => {
    folded = all(document, 'details:not([open])');
    folded.forEach((part) => { part.open = true; });
    all(document, '.viewer.big').forEach(
      (figure) => figure.classList.remove('big'));
  });
  addEventListener('afterprint', () => {
    folded.forEach((part) => { part.open = false; });
  });
})();
