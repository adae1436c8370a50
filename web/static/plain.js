// Pages with both languages in them: keeps the one that the shopper reads.

import { pickLanguage } from "./i18n.js";

const lang = pickLanguage();
for (const section of document.querySelectorAll("section[lang]")) section.hidden = section.lang !== lang;
document.documentElement.lang = lang;
document.title = document.querySelector(`section[lang="${lang}"] .title`).textContent;
