"""What is traded and when: products and the hours of their sessions. Imports nothing but vp's top level."""
