// SPDX-License-Identifier: GPL-2.0-only
// Draws what follows the pointer and the selection, above the lanes.
import { Surface } from './canvas.js';
import { barHeight } from './paint_lanes.js';

export class OverlayPainter {
  constructor(canvas, model) {
    this.surface = new Surface(canvas);
    this.pen = this.surface.pen;
    Object.assign(this, model);
  }

  paint({ selected, hovered, pointerX }) {
    this.surface.fit();
    this.surface.clear();
    const { pen, theme, viewport } = this;
    if (pointerX !== null) {
      pen.fillStyle = theme.faint;
      pen.fillRect(Math.round(pointerX), 0, 1, viewport.height);
    }
    if (hovered >= 0 && hovered !== selected) {
      this.#outline(hovered, theme.foreground, 1);
    }
    if (selected >= 0) {
      this.#paintFamily(selected);
      this.#outline(selected, theme.selection, 3);
    }
    this.#paintScrollbar();
  }

  #box(process) {
    const { viewport, recording } = this;
    const x = Math.max(viewport.x(recording.start[process]), -9);
    const right = Math.min(viewport.x(recording.stop[process]), viewport.width + 9);
    const y = viewport.y(this.lanes.of[process]) + 2;
    return { x, y, width: Math.max(right - x, 2), height: barHeight(viewport) };
  }

  #outline(process, color, lineWidth) {
    const { pen } = this;
    const { x, y, width, height } = this.#box(process);
    const half = lineWidth / 2;
    pen.lineWidth = lineWidth + 2;
    pen.strokeStyle = this.theme.halo;
    pen.strokeRect(x - half, y - half, width + lineWidth, height + lineWidth);
    pen.lineWidth = lineWidth;
    pen.strokeStyle = color;
    pen.strokeRect(x - half, y - half, width + lineWidth, height + lineWidth);
  }

  // Lines from the ancestors down to the process, and to its children.
  #paintFamily(process) {
    const { pen, recording, viewport } = this;
    pen.beginPath();
    for (let child = process, parent; (parent = recording.parent[child]) >= 0; child = parent) {
      this.#birth(parent, child);
    }
    let lastX = -Infinity;
    for (const child of recording.childrenOf(process)) {
      const x = viewport.x(recording.start[child]);
      if (x >= lastX + 2 && x >= 0 && x <= viewport.width) {
        this.#birth(process, child);
        lastX = x;
      }
    }
    pen.strokeStyle = this.theme.halo;
    pen.lineWidth = 3.5;
    pen.stroke();
    pen.strokeStyle = this.theme.selection;
    pen.lineWidth = 1.5;
    pen.stroke();
  }

  #birth(parent, child) {
    const { pen, viewport, recording, lanes } = this;
    const x = Math.round(viewport.x(recording.start[child])) + 0.5;
    if (x < -10 || x > viewport.width + 10) {
      return;
    }
    const from = viewport.y(lanes.of[parent]) + viewport.laneHeight - 2;
    const to = viewport.y(lanes.of[child]) + 2;
    pen.moveTo(x - 3, from);
    pen.lineTo(x + 3, from);
    pen.moveTo(x, from);
    pen.lineTo(x, to);
  }

  // Returns the part of the height that the scroll bar's thumb takes; null if all lanes are visible.
  scrollbar() {
    const { viewport } = this;
    if (viewport.lowest === 0) {
      return null;
    }
    const total = viewport.lowest + viewport.height;
    const height = Math.max(viewport.height * viewport.height / total, 24);
    return { y: viewport.top / viewport.lowest * (viewport.height - height), height };
  }

  #paintScrollbar() {
    const thumb = this.scrollbar();
    if (thumb) {
      this.pen.fillStyle = this.theme.faint;
      this.pen.beginPath();
      this.pen.roundRect(this.viewport.width - 9, thumb.y + 2, 6, thumb.height - 4, 3);
      this.pen.fill();
    }
  }
}
