// The entry module of every page. Each part works on attributes, so that pages need no script of their own.
import "./menu.js";
import "./dialog.js";
import "./autosave.js";
import "./copy.js";
import "./scroll.js";
import "./toast.js";
