/** The languages of our pages: Norwegian Bokmål and Nynorsk, English, Northern Sami. */
export const languages = ["nb", "nn", "en", "se"] as const;
export type Language = (typeof languages)[number];

/** What went wrong, as far as a person at a browser has use for it. */
export type Trouble =
  | "failed"
  | "cancelled"
  | "expired"
  | "unavailable"
  | "too_many"
  | "bad_request"
  | "upstream";

export interface Texts {
  readonly troubles: Readonly<Record<Trouble, { readonly title: string; readonly text: string }>>;
  readonly retry: string;
  readonly home: string;
  readonly reference: string;
  readonly choose: string;
  readonly chooseText: string;
}

export const texts: Readonly<Record<Language, Texts>> = {
  nb: {
    troubles: {
      failed: {
        title: "Innloggingen gikk ikke bra",
        text: "Noe gikk galt da vi skulle logge deg inn. Prøv en gang til.",
      },
      cancelled: {
        title: "Innloggingen ble avbrutt",
        text: "Du er ikke logget inn. Du kan prøve på nytt når du vil.",
      },
      expired: {
        title: "Innloggingen tok for lang tid",
        text: "Vi kjenner ikke igjen denne innloggingen lenger. Prøv en gang til.",
      },
      unavailable: {
        title: "Innloggingen er ikke tilgjengelig nå",
        text: "Tjenesten vi logger deg inn med, svarer ikke. Vent litt og prøv igjen.",
      },
      too_many: {
        title: "For mange forsøk",
        text: "Siden ber om innlogging igjen og igjen. Vent noen sekunder og prøv på nytt.",
      },
      upstream: {
        title: "Tjenesten svarer ikke",
        text: "Noe er galt hos oss. Vent litt og last siden på nytt.",
      },
      bad_request: { title: "Adressen kan ikke brukes", text: "Lenken du fulgte, er ikke gyldig her." },
    },
    retry: "Prøv igjen",
    home: "Gå til forsiden",
    reference: "Oppgi denne koden hvis du kontakter oss:",
    choose: "Hvordan vil du logge inn?",
    chooseText: "Velg en innloggingstjeneste for å gå videre.",
  },
  nn: {
    troubles: {
      failed: {
        title: "Innlogginga gjekk ikkje bra",
        text: "Noko gjekk gale då vi skulle logge deg inn. Prøv ein gong til.",
      },
      cancelled: {
        title: "Innlogginga vart avbroten",
        text: "Du er ikkje logga inn. Du kan prøve på nytt når du vil.",
      },
      expired: {
        title: "Innlogginga tok for lang tid",
        text: "Vi kjenner ikkje att denne innlogginga lenger. Prøv ein gong til.",
      },
      unavailable: {
        title: "Innlogginga er ikkje tilgjengeleg no",
        text: "Tenesta vi loggar deg inn med, svarar ikkje. Vent litt og prøv igjen.",
      },
      too_many: {
        title: "For mange forsøk",
        text: "Sida ber om innlogging om og om att. Vent nokre sekund og prøv på nytt.",
      },
      upstream: {
        title: "Tenesta svarar ikkje",
        text: "Noko er gale hos oss. Vent litt og last sida på nytt.",
      },
      bad_request: { title: "Adressa kan ikkje brukast", text: "Lenkja du følgde, er ikkje gyldig her." },
    },
    retry: "Prøv igjen",
    home: "Gå til framsida",
    reference: "Oppgi denne koden dersom du kontaktar oss:",
    choose: "Korleis vil du logge inn?",
    chooseText: "Vel ei innloggingsteneste for å gå vidare.",
  },
  en: {
    troubles: {
      failed: {
        title: "Signing in did not work",
        text: "Something went wrong while we were signing you in. Please try again.",
      },
      cancelled: {
        title: "Signing in was cancelled",
        text: "You are not signed in. You can try again whenever you like.",
      },
      expired: {
        title: "Signing in took too long",
        text: "We no longer recognise this attempt to sign in. Please try again.",
      },
      unavailable: {
        title: "Signing in is not available right now",
        text: "The service that signs you in does not answer. Please wait a moment and try again.",
      },
      too_many: {
        title: "Too many attempts",
        text: "This page asks you to sign in over and over. Please wait a few seconds and try again.",
      },
      upstream: {
        title: "The service does not answer",
        text: "Something is wrong on our side. Please wait a moment and load the page again.",
      },
      bad_request: {
        title: "This address cannot be used",
        text: "The link that you followed is not valid here.",
      },
    },
    retry: "Try again",
    home: "Go to the front page",
    reference: "Give this code if you contact us:",
    choose: "How would you like to sign in?",
    chooseText: "Choose a sign-in service to go on.",
  },
  se: {
    troubles: {
      failed: {
        title: "Sisačáliheapmi ii lihkostuvvan",
        text: "Juoga manai boastut go galggaimet sisačálihit du. Geahččal ođđasit.",
      },
      cancelled: {
        title: "Sisačáliheapmi gaskkalduhttojuvvui",
        text: "Don it leat sisačálihuvvon. Sáhtát geahččalit ođđasit goas háliidat.",
      },
      expired: {
        title: "Sisačáliheapmi bisttii menddo guhká",
        text: "Mii eat šat dovdda dán sisačáliheami. Geahččal ođđasit.",
      },
      unavailable: {
        title: "Sisačáliheapmi ii leat olámuttus dál",
        text: "Bálvalus mii sisačáliha du, ii vástit. Vuordde veaháš ja geahččal ođđasit.",
      },
      too_many: {
        title: "Menddo ollu geahččaleamit",
        text: "Siidu bivdá sisačáliheami ain ođđasit. Vuordde moadde sekundda ja geahččal ođđasit.",
      },
      upstream: {
        title: "Bálvalus ii vástit",
        text: "Mis lea juoga boastut. Vuordde veaháš ja viečča siiddu ođđasit.",
      },
      bad_request: {
        title: "Čujuhus ii sáhte geavahuvvot",
        text: "Liŋka maid čuvvot, ii leat gustovaš dáppe.",
      },
    },
    retry: "Geahččal ođđasit",
    home: "Mana ovdasiidui",
    reference: "Almmut dán koda jus válddát oktavuođa minguin:",
    choose: "Mo háliidat sisačálihit?",
    chooseText: "Vállje sisačálihanbálvalusa vai beasat viidáseappot.",
  },
};

/** Picks a language of ours by `Accept-Language` (RFC 9110 section 12.5.4); Norwegian Bokmål when none fits. */
export function pickLanguage(header: string | undefined): Language {
  const wanted = (header ?? "")
    .slice(0, 500)
    .split(",")
    .map((part, index) => {
      const [tag = "", ...parameters] = part.trim().toLowerCase().split(";");
      const quality = parameters
        .map((one) => /^\s*q=([\d.]+)\s*$/.exec(one)?.[1])
        .find((one) => one !== undefined);
      return {
        language: languageOf(tag.trim()),
        quality: quality === undefined ? 1 : Number(quality),
        index,
      };
    })
    .filter((one) => one.language !== undefined && one.quality > 0)
    .sort((a, b) => b.quality - a.quality || a.index - b.index);
  return wanted[0]?.language ?? "nb";
}

function languageOf(tag: string): Language | undefined {
  const primary = tag.split("-")[0] ?? "";
  if (primary === "no") return "nb";
  return languages.find((language) => language === primary);
}
