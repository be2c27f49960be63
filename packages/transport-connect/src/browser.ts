/** What runs in a browser: nothing here, or in what it imports, may need Node. */
export {};
