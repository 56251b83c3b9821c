mod options;
mod window;
