mod options;
mod produce;
mod window;
